"""Benchmark sets: which pictures get which styles, and what papers published about them.

A set is a YAML manifest in benchmarks/ (docs/benchmarks.md tells its keys), or a user's own folder
of pictures with a text file of instructions. Pictures that may not be shipped are looked for in a
folder of the user's, by content and by name; one that is missing is named, and the rest goes on.
"""

from __future__ import annotations

import importlib.util
import json
import logging
import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from datamodules.images import PACKAGED, load_picture
from datamodules.support.errors import AtelierError
from datamodules.support.files import sha256
from datamodules.support.suggestions import did_you_mean

log = logging.getLogger(__name__)

MANIFESTS = Path(__file__).parent
SUFFIXES = frozenset(
    {".jpg", ".jpeg", ".jfif", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".avif"}
    | {".ppm", ".pgm", ".jp2", ".heic", ".heif"}  # the last two are not read, but that is said
)
UNKNOWN = "unknown"  # in place of a digest: the picture is taken by its name
OWN_METHODS = ("soulstyler",)  # for a folder of one's own: `atelier stylize`'s default
SHOWN = 12  # digits of a digest in a sentence


@dataclass(frozen=True)
class Entry:
    """One picture with what to do to it.

    picture:  its short name in the set.
    image:    "skimage:NAME" or an absolute path.
    settings: of StylizationDataModule by dotted name, e.g. {"data.style": "fire"}.
    labels:   for tables: picture, object, style, background_style, without those that are not
              given; of an entry by instruction picture and instruction, as what it names is known
              when it is parsed.
    """

    picture: str
    image: str
    settings: dict[str, str]
    labels: dict[str, object]
    seed: int


@dataclass(frozen=True)
class BenchmarkSet:
    """A set, ready to run.

    source:  the paper and the place in it.
    methods: files in configs/methods that the paper compares and we have.
    missing: picture -> one sentence saying what, where it would come from, what to do.
    published: table -> {"source", "note", "rows": {method: {score: number}}}, or {"file": name}
             of a file in evaluation/published.
    kind:    "pictures", or "parsing" for a set without pictures.
    ours:    what is our choice and not the paper's.
    instructions: the file of a set of kind "parsing".
    """

    name: str
    title: str
    source: str
    methods: tuple[str, ...]
    entries: tuple[Entry, ...]
    missing: dict[str, str]
    published: dict
    kind: str
    ours: tuple[str, ...] = ()
    instructions: Path | None = None


def known_sets() -> dict[str, Path]:
    """The manifests by their names: the folder is the registry, the file's stem the name."""
    return {path.stem: path for path in sorted(MANIFESTS.glob("*.yaml"))}


def load_set(name: str, pictures: Path | None = None) -> BenchmarkSet:
    """The set of that name; its pictures that are not shipped are looked for below `pictures`.

    Raises AtelierError for an unknown name, a folder that is none, and a manifest that is wrong.
    """
    known = known_sets()
    if name not in known:
        raise AtelierError(
            f"There is no benchmark set {name!r}; there are {', '.join(known)}, and a folder of "
            f"pictures with --instructions FILE{did_you_mean(name, known)}"
        )
    manifest = read_manifest(known[name])
    entries, missing = _entries(manifest, _Folder(pictures) if pictures is not None else None)
    return BenchmarkSet(
        name=name,
        title=manifest["title"],
        source=manifest["source"],
        methods=tuple(manifest.get("methods", ())),
        entries=tuple(entries),
        missing=missing,
        published=manifest.get("published", {}),
        kind=manifest.get("kind", "pictures"),
        ours=tuple(manifest.get("ours", ())),
        instructions=MANIFESTS / manifest["instructions"] if "instructions" in manifest else None,
    )


def _entries(manifest: dict, folder: _Folder | None) -> tuple[list[Entry], dict[str, str]]:
    """Every picture that is there in every style, and why the others are not."""
    entries, missing, unchecked = [], {}, []
    for name, picture in manifest.get("pictures", {}).items():
        try:
            image, checked = _locate(name, picture, folder)
        except AtelierError as error:
            missing[name] = str(error)
            continue
        unchecked += [] if checked else [f"{name} ({Path(image).name})"]
        entries += [_entry(name, image, picture, style) for style in manifest["styles"]]
    if unchecked:
        log.warning(
            "Taken by their names alone, as the published files' sha256 is not known: %s",
            ", ".join(unchecked),
        )
    return entries, missing


def _entry(name: str, image: str, picture: dict, style: dict) -> Entry:
    asked = {
        "object": picture.get("object", ""),
        "style": style["style"],
        "background_style": style.get("background_style", ""),
    }
    asked = {key: value for key, value in asked.items() if value}
    settings = {f"data.{key}": value for key, value in asked.items()}
    labels = {"picture": name, **asked}
    return Entry(name, image, settings, labels, style["seed"])


# Pictures


class _Folder:
    """The picture files below a folder, by name and by content; each is read at most once."""

    def __init__(self, path: Path) -> None:
        if not path.is_dir():
            raise AtelierError(
                f"There is no folder {path}; give --pictures the folder that holds the pictures"
            )
        self.path = path
        self._digests: dict[Path, str] = {}

    @cached_property
    def files(self) -> list[Path]:
        return sorted(p for p in self.path.rglob("*") if _is_picture_file(p))

    def named(self, file: str) -> list[Path]:
        """The files of that name, whatever their case and extension."""
        stem = _plain(Path(file).stem)
        return [path for path in self.files if _plain(path.stem) == stem]

    def digest(self, path: Path) -> str:
        """The file's sha256, "" if it cannot be read."""
        if path not in self._digests:
            try:
                self._digests[path] = sha256(path)
            except OSError:
                self._digests[path] = ""
        return self._digests[path]

    def holding(self, digests: set[str], first: list[Path]) -> Path | None:
        """A file with one of these contents; those in `first` are read before the others."""
        for path in dict.fromkeys([*first, *self.files]):
            if self.digest(path) in digests:
                return path
        return None


def _is_picture_file(path: Path) -> bool:
    # A name with a leading dot is what a system keeps beside a picture ("._boat.jpg").
    return path.suffix.lower() in SUFFIXES and not path.name.startswith(".") and path.is_file()


def _plain(text: str) -> str:
    """Text to be compared: some systems decompose accents in file names, some ignore case."""
    return unicodedata.normalize("NFC", text).casefold()


def _locate(name: str, picture: dict, folder: _Folder | None) -> tuple[str, bool]:
    """The picture's place, and whether its content was checked; AtelierError if it is missing."""
    if "skimage" in picture:
        return _packaged(name, picture), True
    files, source = picture["sha256"], picture["source"]
    wanted = " or ".join(files)
    if folder is None:
        raise AtelierError(
            f"{name} is not shipped (licence: {picture['licence'].split(';')[0]}): save {wanted} "
            f"from {source} in a folder and give that with --pictures DIR"
        )
    known = {digest for digest in files.values() if digest != UNKNOWN}
    named = [path for file in files for path in folder.named(file)]
    found = folder.holding(known, first=named) if known else None
    if found:
        return str(found.resolve()), True
    unchecked = [path for file in files if files[file] == UNKNOWN for path in folder.named(file)]
    if unchecked:
        return _unchecked(name, unchecked, folder), False
    if named:
        raise AtelierError(_mismatch(name, picture, named[0], folder))
    raise AtelierError(f"{name} is not in {folder.path}: save {wanted} from {source} there")


def _unchecked(name: str, paths: list[Path], folder: _Folder) -> str:
    """The only picture of its name; AtelierError if there are several, or it is none."""
    if len({folder.digest(path) for path in paths}) > 1:
        raise AtelierError(
            f"{name} could be any of {', '.join(map(str, paths))}, as the published file's sha256 "
            "is not known; leave only that one there"
        )
    load_picture(str(paths[0]))
    return str(paths[0].resolve())


def _mismatch(name: str, picture: dict, path: Path, folder: _Folder) -> str:
    digest = folder.digest(path)
    if not digest:
        return f"{path} cannot be read; {name} is looked for there: check its permissions"
    file, published = next(
        (file, known) for file, known in picture["sha256"].items() if known != UNKNOWN
    )
    return (
        f"{path} is not the picture {name}: its sha256 begins with {digest[:SHOWN]}, that of the "
        f"published {file} with {published[:SHOWN]}; save {file} from {picture['source']} there"
    )


def _packaged(name: str, picture: dict) -> str:
    """The picture that scikit-image ships, its content checked."""
    (file, published), *_ = picture["sha256"].items()
    spec = importlib.util.find_spec("skimage")  # importing it takes seconds and is not needed
    path = Path(spec.origin).parent / "data" / file if spec and spec.origin else Path(file)
    remedy = "run: pip install --force-reinstall -c requirements/constraints.txt scikit-image"
    if not path.is_file():
        raise AtelierError(f"{name} ({file} of scikit-image) is not installed; {remedy}")
    if published != UNKNOWN and sha256(path) != published:
        raise AtelierError(
            f"{path} is not the picture {name}: its sha256 begins with {sha256(path)[:SHOWN]}, not "
            f"with {published[:SHOWN]}; {remedy}"
        )
    return PACKAGED + picture["skimage"]


# A folder of one's own


def folder_set(folder: Path, instructions: Path) -> BenchmarkSet:
    """Every picture of the folder with every line of the text file.

    Empty lines and those that begin with "#" are passed over. A line that begins with a picture's
    file name and a colon is meant for that picture alone: "boat.jpg: Turn the boat to fire".
    Pictures that cannot be read, or that a line names and that are not there, are in `missing`.
    Raises AtelierError for a folder without pictures and a file without instructions.
    """
    lines, files = _lines(instructions), _pictures_in(folder)
    names = _short_names(files)
    wanted, missing = _wanted(lines, files, folder, instructions)
    entries = []
    for path, texts in wanted.items():
        try:
            load_picture(str(path))
        except AtelierError as error:
            missing[names[path]] = str(error)
            continue
        entries += [_instructed(names[path], path, text) for text in texts]
    title = f"{folder.resolve().name}, {len(files)} pictures, {len(lines)} instructions"
    return BenchmarkSet(
        name=folder.resolve().name or "pictures",
        title=title,
        source=f"pictures of {folder}, instructions of {instructions}",
        methods=OWN_METHODS,
        entries=tuple(entries),
        missing=missing,
        published={},
        kind="pictures",
    )


def _wanted(
    lines: list[str], files: list[Path], folder: Path, instructions: Path
) -> tuple[dict[Path, list[str]], dict[str, str]]:
    """The instructions of each picture that has any, and the pictures named that are not there."""
    wanted, missing = {path: [] for path in files}, {}
    for line in lines:
        path, text = _addressed(line, files)
        if path is None and (stray := _stray(line)):
            missing[stray] = (
                f"{folder} has no picture {stray}, which {instructions} names; save it there or "
                "correct the name"
            )
            continue
        for chosen in [path] if path else files:
            wanted[chosen].append(text)
    return {path: list(dict.fromkeys(texts)) for path, texts in wanted.items() if texts}, missing


def _lines(path: Path) -> list[str]:
    """The instructions of a text file, each once."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise AtelierError(f"{path} is not a UTF-8 text; save it as UTF-8") from error
    except OSError as error:
        raise AtelierError(
            f"There are no instructions to read at {path} ({error.strerror}); give --instructions "
            "a text file with one a line"
        ) from error
    lines = [line.strip() for line in text.splitlines()]
    found = list(dict.fromkeys(line for line in lines if line and not line.startswith("#")))
    if not found:
        raise AtelierError(
            f'{path} has no instructions; write one a line, e.g. "Turn the boat to fire"'
        )
    return found


def _pictures_in(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise AtelierError(f"There is no folder {folder}; give one that holds pictures")
    try:
        files = sorted(path for path in folder.iterdir() if _is_picture_file(path))
    except OSError as error:
        raise AtelierError(
            f"{folder} cannot be read ({error.strerror}); check its permissions"
        ) from error
    if not files:
        raise AtelierError(
            f"{folder} has no pictures; put PNG, JPEG or WebP files there (folders inside it are "
            "not looked into)"
        )
    return files


def _short_names(files: list[Path]) -> dict[Path, str]:
    """Each file's stem, or its whole name where another has the same stem."""
    stems = [_plain(path.stem) for path in files]
    return {path: path.stem if stems.count(_plain(path.stem)) == 1 else path.name for path in files}


def _addressed(line: str, files: list[Path]) -> tuple[Path | None, str]:
    """The picture that a line names, if it names one, and the instruction without it."""
    line = unicodedata.normalize("NFC", line)
    for path in sorted(files, key=lambda path: -len(path.name)):  # "a.jpg: b.jpg" is a name too
        name = unicodedata.normalize("NFC", path.name)
        if line[: len(name)].casefold() == name.casefold():
            colon, text = line[len(name) :].lstrip()[:1], line[len(name) :].lstrip()[1:].strip()
            if colon == ":" and text:
                return path, text
    return None, line


def _stray(line: str) -> str:
    """The file name that a line begins with, "" if it begins with none."""
    before, colon, _ = line.partition(":")
    return before.strip() if colon and Path(before.strip()).suffix.lower() in SUFFIXES else ""


def _instructed(name: str, path: Path, text: str) -> Entry:
    labels = {"picture": name, "instruction": text}
    return Entry(name, str(path.resolve()), {"data.instruction": text}, labels, seed=0)


# Manifests


class _Key(NamedTuple):
    """What a key of a manifest must hold."""

    expected: str
    fits: Callable[[Any], bool]
    required: bool = True

    def optional(self) -> _Key:
        return self._replace(required=False)


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _is_number(value: Any) -> bool:
    return type(value) in (int, float)


def _is_mapping(value: Any) -> bool:
    return isinstance(value, dict) and all(map(_is_text, value))


def _are_scores(value: Any) -> bool:
    return _is_mapping(value) and all(
        _is_mapping(row) and all(map(_is_number, row.values())) for row in value.values()
    )


def _are_digests(value: Any) -> bool:
    return (
        bool(value)
        and _is_mapping(value)
        and all(
            digest == UNKNOWN or (_is_text(digest) and re.fullmatch("[0-9a-f]{64}", digest))
            for digest in value.values()
        )
    )


_TEXT = _Key("a text", _is_text)
_TEXTS = _Key("a list of texts", lambda v: isinstance(v, list) and all(map(_is_text, v)))
_PUBLISHED = _Key("a mapping of tables, or {file: NAME}", _is_mapping)
_COMMON = {
    "title": _TEXT,
    "source": _TEXT,
    "kind": _Key("pictures or parsing", lambda v: v in ("pictures", "parsing")).optional(),
    "ours": _TEXTS.optional(),
    "published": _PUBLISHED.optional(),
}
SCHEMAS = {
    "pictures": _COMMON
    | {
        "methods": _TEXTS,
        "pictures": _Key(
            "a mapping of pictures by name, numbers in quotes", lambda v: v and _is_mapping(v)
        ),
        "styles": _Key("a list of styles", lambda v: isinstance(v, list) and v),
    },
    "parsing": _COMMON
    | {
        "instructions": _Key(
            "a JSON-lines file beside the manifest",
            lambda v: _is_text(v) and (MANIFESTS / v).is_file(),
        )
    },
}
PICTURE = {
    "sha256": _Key("a mapping of file names to 64 hexadecimal digits or unknown", _are_digests),
    "source": _TEXT,
    "licence": _TEXT,
    "skimage": _TEXT.optional(),
    "object": _TEXT.optional(),
    "ours": _TEXT.optional(),
}
STYLE = {
    "style": _TEXT,
    "seed": _Key("a whole number, 0 or more", lambda v: type(v) is int and v >= 0),
    "background_style": _TEXT.optional(),
    "source": _TEXT.optional(),
    "ours": _TEXT.optional(),
}
TABLE = {
    "source": _TEXT,
    "note": _TEXT.optional(),
    "rows": _Key("a mapping of methods to scores, each a number", _are_scores),
}


def read_manifest(path: Path) -> dict[str, Any]:
    """A manifest, checked; AtelierError says which key is wrong and what was expected."""
    try:
        manifest = yaml.load(path.read_text(encoding="utf-8"), Loader=_UniqueKeys)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        mark = getattr(error, "problem_mark", None)
        reason = getattr(error, "problem", None) or " ".join(str(error).split())
        where = f"{path}, line {mark.line + 1}" if mark else f"{path}"
        raise AtelierError(f"{where}: the manifest cannot be read ({reason}); mend it") from error
    kind = manifest.get("kind", "pictures") if isinstance(manifest, dict) else "pictures"
    _check(manifest, SCHEMAS["parsing" if kind == "parsing" else "pictures"], f"{path}", "")
    for where, value, schema in _parts(manifest):
        _check(value, schema, f"{path}", where)
    return manifest


def _parts(manifest: dict) -> Iterator[tuple[str, Any, dict[str, _Key]]]:
    """The pictures, styles and tables of a manifest, each with its place and its schema."""
    for name, picture in manifest.get("pictures", {}).items():
        yield f"pictures.{name}", picture, PICTURE
    for number, style in enumerate(manifest.get("styles", []), 1):
        yield f"styles[{number}]", style, STYLE
    published = manifest.get("published", {})
    if "file" in published:
        yield "published", published, {"file": _TEXT}
        return
    for name, table in published.items():
        yield f"published.{name}", table, TABLE


def _check(value: Any, schema: dict[str, _Key], path: str, where: str) -> None:
    """AtelierError unless the value is a mapping with just the schema's keys, all as expected."""
    at = f"{path}, {where}" if where else path
    if not isinstance(value, dict):
        raise AtelierError(
            f"{at}: {json.dumps(value, default=str)[:80]} is no mapping; give the keys "
            f"{', '.join(schema)}"
        )
    for key in value:
        if key not in schema:
            hint = did_you_mean(str(key), schema)
            raise AtelierError(f"{at}: there is no key {key!r}, only {', '.join(schema)}{hint}")
    for key, rule in schema.items():
        if key not in value:
            if rule.required:
                raise AtelierError(f"{at}: the key {key} is missing; give {rule.expected}")
        elif not rule.fits(value[key]):
            shown = json.dumps(value[key], default=str)[:80]
            raise AtelierError(f"{at}: {key} is {shown}; give {rule.expected}")


class _UniqueKeys(yaml.SafeLoader):
    """Plain YAML, but a key that is there twice is an error: one of the two would be lost."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict:
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        twice = next((key for number, key in enumerate(keys) if key in keys[:number]), None)
        if twice is not None:
            raise yaml.constructor.ConstructorError(
                "in a mapping",
                node.start_mark,
                f"the key {twice!r} is there twice",
                node.start_mark,
            )
        return super().construct_mapping(node, deep)
