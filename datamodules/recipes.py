"""The recipe in a picture: what made it, in the PNG's metadata, so that it can be made again.

It is JSON in the text "atelier": the configuration without run folder, logs and machine, the name
and SHA-256 of every file that was read, and Atelier's version. Of paths it has the last part only,
so that equal requests give equal pictures wherever they are made, and nobody's folders are told.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from datamodules.support.errors import AtelierError
from datamodules.support.files import sha256
from datamodules.support.versions import own_version

KEY = "atelier"  # of the text in the PNG
FORMAT = 1
LARGEST = 1_000_000  # characters of a recipe that is read
USUAL_FULL_SIZE = 2048  # px; with it, or without a larger picture, the others are the same
PICTURES = ("data.image", "data.style_image", "data.mask")
PARTS = ("model", "data.parser", "data.segmenter")  # whose texts may be paths, not people's words
LISTS = ("mask", "mask_value", "exceptions")  # data of which a single one may be a text
SECTIONS = ("seed_everything", "model", "data", "interpolation")
TRAINER = (  # settings on which a picture depends
    *("max_steps", "accelerator", "precision", "deterministic", "benchmark"),
    *("accumulate_grad_batches", "gradient_clip_val", "gradient_clip_algorithm"),
)

Files = Mapping[str, list[dict[str, str]]]


@dataclass(frozen=True)
class Recipe:
    """Origin of a picture.

    config:  as config.yaml has it, where files have names without folders.
    files:   by dotted setting, "data.image": for each file {"name": ..., "sha256": ...}; a folder
             has "" for the latter.
    atelier: the version that made it.
    note:    why the configuration makes another picture, "" where it makes this one.
    """

    config: Mapping[str, Any]
    files: Files = field(default_factory=dict)
    atelier: str = ""
    note: str = ""


def texts(node: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Every text in a configuration with its dotted setting; those of a list have the list's."""
    if isinstance(node, Mapping):
        for key, value in node.items():
            below = path if key == "init_args" else f"{path}.{key}".lstrip(".")
            yield from texts(value, below)
    elif isinstance(node, list):
        for value in node:
            yield from texts(value, path)
    elif isinstance(node, str):
        yield path, node


def files_of(config: Mapping[str, Any]) -> Files:
    """The files that a configuration names, by setting: its pictures, and weights that are paths.

    A picture of scikit-image's has its name with "skimage:".
    """
    files: dict[str, list[dict[str, str]]] = {}
    for setting, text in texts(config):
        if text and (setting in PICTURES or _is_path(setting, text)):
            files.setdefault(setting, []).append({"name": name_of(text), "sha256": digest(text)})
    return files


def _is_path(setting: str, text: str) -> bool:
    path = Path(text)
    own = any(setting.startswith(part) for part in PARTS)
    return own and (path.is_absolute() or ("/" in text and path.exists()))


def is_packaged(source: str) -> bool:
    """Whether a source is the name of a picture that scikit-image ships."""
    return source.startswith("skimage:")


def name_of(source: str) -> str:
    """A file's name without folders, or a picture's of scikit-image as it is."""
    return source if is_packaged(source) else Path(source).name


def digest(source: str) -> str:
    """SHA-256 of a file, or of a picture of scikit-image; "" for what is no file."""
    from datamodules.reading.opening import resolve

    path = resolve(source)
    return sha256(path) if path.is_file() else ""


def recipe_text(
    config: Mapping[str, Any], files: Files, steps: int | None = None, note: str = ""
) -> str:
    """The text of a recipe.

    config: complete. steps: in place of the configuration's `trainer.max_steps`.
    """
    own = deepcopy({name: config[name] for name in SECTIONS if name in config})
    trainer = config.get("trainer", {})
    trainer = trainer if steps is None else {**trainer, "max_steps": steps}
    own["trainer"] = {name: trainer[name] for name in TRAINER if trainer.get(name) is not None}
    own = _without_folders(own, files)
    if not own.get("interpolation", {}).get("to"):
        own.pop("interpolation", None)
    data = own["data"]
    if data.get("full_size") in (0, USUAL_FULL_SIZE):
        del data["full_size"]
    data |= {name: [data[name]] for name in LISTS if data.get(name) and isinstance(data[name], str)}
    recipe = {"format": FORMAT, "atelier": own_version(), "config": own, "files": files}
    return json.dumps(recipe | ({"note": note} if note else {}), sort_keys=True)


def _without_folders(node: Any, files: Files, path: str = "") -> Any:
    """A configuration whose files have their names alone, and which names no server."""
    if isinstance(node, Mapping):
        below = {k: path if k == "init_args" else f"{path}.{k}".lstrip(".") for k in node}
        return {
            key: _without_folders(value, files, below[key])
            for key, value in node.items()
            if key != "base_url"
        }
    if isinstance(node, list):
        return [_without_folders(value, files, path) for value in node]
    return name_of(node) if isinstance(node, str) and path in files else node


def read_recipe(source: str) -> Recipe:
    """The recipe in a picture; nothing of it is built or imported.

    Raises AtelierError for a picture that has none, or that is damaged.
    """
    from datamodules.reading.opening import text_of

    text = text_of(source, KEY)
    if text is None:
        raise AtelierError(
            f"{source} has no recipe; give a PNG as Atelier has written it: other programs and "
            "web sites leave it out"
        )
    try:
        raw = json.loads(text) if len(text) <= LARGEST else None
    except (ValueError, RecursionError):
        raw = None
    if not isinstance(raw, dict):
        raise AtelierError(_damaged(source))
    if isinstance(made := raw.get("format"), int) and made > FORMAT:
        raise AtelierError(f"The recipe in {source} is of a later version; update Atelier")
    if not _is_whole(raw):
        raise AtelierError(_damaged(source))
    return Recipe(raw["config"], raw["files"], raw["atelier"], raw.get("note", ""))


def _damaged(source: str) -> str:
    return f"The recipe in {source} is damaged; give the picture as Atelier has written it"


def _is_whole(raw: Mapping[str, Any]) -> bool:
    config, files = raw.get("config"), raw.get("files")
    if raw.get("format") != FORMAT or not isinstance(config, dict) or not isinstance(files, dict):
        return False
    return (
        config.keys() <= {*SECTIONS, "trainer"}
        and all(isinstance(config.get(name), dict) for name in ("model", "data", "trainer"))
        and config["trainer"].keys() <= set(TRAINER)
        and not any(isinstance(value, list | dict) for value in config["trainer"].values())
        and isinstance(raw.get("atelier"), str)
        and isinstance(raw.get("note", ""), str)
        and all(isinstance(each, list) and each for each in files.values())
        and all(_is_file(entry) for each in files.values() for entry in each)
        and all(setting in files for setting, text in texts(config) if text and setting in PICTURES)
    )


def _is_file(entry: Any) -> bool:
    """Whether an entry of `files` names a file without a folder, or a picture of scikit-image."""
    if not (isinstance(entry, dict) and entry.keys() == {"name", "sha256"}):
        return False
    name = entry["name"]
    return all(isinstance(value, str) for value in entry.values()) and (
        name not in ("", "..", ".") and name == Path(name).name and "\\" not in name
    )
