"""A run once more from the recipe in its picture, or the same recipe for another photo."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any

from datamodules.recipes import Recipe, digest, is_packaged, read_recipe
from datamodules.support.errors import AtelierError
from datamodules.support.versions import own_version
from experiments.run.configuration import Configuration
from experiments.run.options import absolute
from experiments.run.trusted import refuse_untrusted

log = logging.getLogger(__name__)

# Names of files in sentences, and how to give them.
NAMES = {
    "data.image": ("photo", "the photo as the first word"),
    "data.style_image": ("style picture", "--style-image"),
    "data.mask": ("mask", "--mask"),
}
REQUEST = ("instruction", "object", "style", "background_style", "targets", "exceptions")


def from_picture(source: str, settings: Mapping[str, Any]) -> tuple[Configuration, dict[str, Any]]:
    """The configuration in a picture, and settings over it: the files, as they are here.

    source: the picture. settings: those that go over both, by dotted name. Raises AtelierError for
    a picture without a recipe, for a recipe that names other code than Atelier's, and for a file
    that is not here as it was.
    """
    recipe = read_recipe(source)
    config = deepcopy(dict(recipe.config))
    data = config["data"] = dict(config["data"])
    if settings.get("data.parser"):
        data.pop("parser", None)
    if settings.get("data.instruction") or settings.get("data.targets"):
        for name in REQUEST:
            data.pop(name, None)
    refuse_untrusted(config, source, recipe.files)
    if recipe.note:
        log.warning("%s: %s", source, recipe.note)
    if (made_by := recipe.atelier) != own_version():
        log.warning("%s was made by Atelier %s, and this is %s", source, made_by, own_version())
    return config, _files(recipe, source, settings)


def _files(recipe: Recipe, source: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Paths of the recipe's files, by setting, without those that the settings replace."""
    paths: dict[str, Any] = {}
    for setting, entries in recipe.files.items():
        if settings.get(setting):
            _compare(setting, settings[setting], entries)
        else:
            found = [_find(setting, entry, source) for entry in entries]
            paths[setting] = found if setting == "data.mask" else found[0]
    photo, own = settings.get("data.image"), recipe.files.get("data.image", ())
    if "data.mask" in paths and photo and digest(photo) not in [one["sha256"] for one in own]:
        raise AtelierError(
            f"The mask of {source} belongs to its own photo; give one for {photo} with --mask"
        )
    return paths


def _compare(setting: str, value: Any, entries: list[dict[str, str]]) -> None:
    """Say so where a file is another one than the recipe's."""
    for path, entry in zip(value if isinstance(value, list) else [value], entries, strict=False):
        kind = NAMES.get(setting, (setting, ""))[0]
        if digest(path) != entry["sha256"]:
            log.warning("The %s %s is another one than the recipe's, %s", kind, path, entry["name"])


def _find(setting: str, entry: Mapping[str, str], source: str) -> str:
    """Path of a file that has the name and the content in a recipe."""
    name = entry["name"]
    kind, way = NAMES.get(setting, (setting, f"--{setting}"))
    places = [name] if is_packaged(name) else [name, str(Path(source).parent / name)]
    for place in places:
        if digest(place) == entry["sha256"] != "":
            return absolute(place)
    why = "it is neither in the current folder nor beside the picture"
    if there := next((place for place in places if Path(place).exists()), ""):
        why = f"{there} is another file by now"
    raise AtelierError(f"{source} was made with the {kind} {name}, and {why}; give {way}")
