"""Benchmark sets: pictures in styles, and the numbers that papers published about them.

A set is a YAML manifest in this folder (`manifest`), or a user's own folder of pictures with a text
file of instructions (`own_folder`). Pictures that may not be shipped are searched for in a folder
of the user's (`pictures`); a missing one is reported, and the others are used.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from pathlib import Path

from datamodules.benchmarks.manifest import (
    ParsingSet,
    Picture,
    PictureSet,
    Published,
    Style,
    read_manifest,
)
from datamodules.benchmarks.pictures import PictureFolder, find_picture
from datamodules.support import outside
from datamodules.support.errors import AtelierError
from datamodules.support.suggestions import did_you_mean

log = logging.getLogger(__name__)

MANIFESTS = Path(__file__).parent


@dataclass(frozen=True)
class Entry:
    """One picture and what to do to it.

    picture:  its short name in the set.
    image:    "skimage:NAME" or an absolute path.
    settings: of StylizationDataModule by dotted name, e.g. {"data.style": "fire"}.
    labels:   for tables: the values of picture, object, style and background_style, as far as the
              entry has them; of an entry by instruction, whose object and style are known only
              after parsing, picture and instruction.
    """

    picture: str
    image: str
    settings: dict[str, str]
    labels: dict[str, object]
    seed: int


@dataclass(frozen=True)
class BenchmarkSet:
    """A set, ready to run.

    source:       the paper and the place in it.
    methods:      files in configs/methods that the paper compares.
    models:       the usual preset of models, "" for the embedded one.
    missing:      by picture, one sentence: what is missing, where to find it, what to do.
    kind:         "pictures", or "parsing" for a set without pictures.
    instructions: the file of a set of kind "parsing".
    """

    name: str
    title: str
    source: str
    methods: tuple[str, ...] = ()
    entries: tuple[Entry, ...] = ()
    missing: dict[str, str] = field(default_factory=dict)
    published: Published = field(default_factory=Published)
    kind: str = "pictures"
    instructions: Path | None = None
    models: str = ""


def list_sets(manifests: Path = MANIFESTS) -> dict[str, Path]:
    """The manifests in a folder by their names, the files' stems."""
    return {path.stem: path for path in sorted(manifests.glob("*.yaml"))}


def load_set(name: str, pictures: Path | None = None, manifests: Path = MANIFESTS) -> BenchmarkSet:
    """The set of a name, one that an installed package adds, or that of a YAML file.

    pictures: a folder in and below which pictures that are not shipped are searched for; of a set
    from outside by default the folder of its YAML file.
    Raises AtelierError for an unknown name, a folder that is none, and a wrong manifest.
    """
    file = find_manifest(name, manifests)
    if file.parent != manifests:
        name, pictures = file.stem, pictures or file.parent
    manifest = read_manifest(file)
    if isinstance(manifest, ParsingSet):
        return BenchmarkSet(
            name,
            manifest.title,
            manifest.source,
            published=manifest.published,
            kind="parsing",
            instructions=file.parent / manifest.instructions,
        )
    entries, missing = _entries(manifest, PictureFolder(pictures) if pictures else None)
    return BenchmarkSet(
        name,
        manifest.title,
        manifest.source,
        tuple(manifest.methods),
        tuple(entries),
        missing,
        manifest.published,
        models=manifest.models,
    )


def find_manifest(name: str, manifests: Path = MANIFESTS) -> Path:
    """The manifest of a name, as `load_set` takes it; AtelierError for an unknown one."""
    sets = list_sets(manifests)
    if name in sets:
        return sets[name]
    if name.endswith((".yaml", ".yml")):
        return Path(name).absolute()
    if entry := outside.find("sets", name):
        return entry.file
    names = [*sets, *outside.names("sets")]
    raise AtelierError(
        f"There is no benchmark set {name!r}; there are {', '.join(names)}, a set's YAML file, and "
        f"a folder of pictures with --instructions FILE{did_you_mean(name, names)}"
    )


def _entries(
    manifest: PictureSet, folder: PictureFolder | None
) -> tuple[list[Entry], dict[str, str]]:
    """Every available picture in every style, and the reasons why others are not available."""
    entries, missing, unchecked = [], {}, []
    for name, picture in manifest.pictures.items():
        try:
            image, checked = find_picture(name, picture, folder)
        except AtelierError as error:
            missing[name] = str(error)
            continue
        unchecked += [] if checked else [f"{name} ({Path(image).name})"]
        entries += [_entry(name, image, picture, style) for style in manifest.styles]
    if unchecked:
        log.warning(
            "Identified by their names alone, as the published files' sha256 is not known: %s",
            ", ".join(unchecked),
        )
    return entries, missing


def _entry(name: str, image: str, picture: Picture, style: Style) -> Entry:
    targets = {
        "object": picture.object,
        "style": style.style,
        "background_style": style.background_style,
    }
    targets = {key: value for key, value in targets.items() if value}
    settings = {f"data.{key}": value for key, value in targets.items()}
    return Entry(name, image, settings, {"picture": name, **targets}, style.seed)
