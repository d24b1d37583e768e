"""Names of all kinds with their descriptions, read from files without importing any class.

A YAML file is described by the first sentence of the comment at its top, a class by that of its
docstring.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import yaml

from datamodules.support import outside
from datamodules.support.errors import AtelierError
from experiments.run.arguments import docstring
from experiments.run.registry import (
    ENCODERS,
    GENERATORS,
    METHODS,
    METRICS,
    MODELS,
    PARSERS,
    SEGMENTERS,
    SETS,
    SWEEPS,
    TRAINING,
    Part,
)

OURS = "Atelier"
_END = re.compile(r"(?<!e\.g)(?<!i\.e)(?<! al)\.(?=\s|$)")  # of a sentence


@dataclass(frozen=True)
class Line:
    """A name of some kind.

    text: one sentence without its full stop. origin: Atelier or a package, for people.
    """

    name: str
    text: str
    origin: str = OURS


def lines(kind: str) -> list[Line]:
    """All names of a kind, one of KINDS, Atelier's first."""
    ours = list(KINDS[kind]())
    names = {line.name for line in ours}
    others = [_outside(kind, entry, entry.name in names) for entry in _added(kind)]
    return [*ours, *others]


def _added(kind: str) -> list[outside.Added]:
    return outside.added(kind) if kind in outside.KINDS else []


def _outside(kind: str, entry: outside.Added, hidden: bool) -> Line:
    try:
        text = of_file(entry.file) if kind in outside.FILES else of_class(entry.class_path)
    except AtelierError as error:
        text = str(error)
    return Line(entry.name, text, entry.package + (f", hidden by {OURS}'s" if hidden else ""))


def of_file(path: Path) -> str:
    """The first sentence of the comment at the top of a YAML file, or its title, or ""."""
    comment, title = [], ""
    for line in path.read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            title = re.sub(r"^title: *", "", line) if line.startswith("title:") else ""
            break
        comment.append(line.removeprefix("#").strip())
    return first_sentence(" ".join(comment)) or title


def of_class(path: str) -> str:
    """The first sentence of a class's docstring, "" without one."""
    return first_sentence(docstring(path))


def first_sentence(text: str) -> str:
    """The first sentence of a text's first paragraph, on one line, without its full stop."""
    paragraph = " ".join(text.strip().partition("\n\n")[0].split())
    return _END.split(paragraph)[0]


def _of_folder(folder: Path) -> Iterator[Line]:
    for path in sorted(folder.glob("*.yaml")):
        yield Line(path.stem, of_file(path))


def _of_parts(parts: Mapping[str, Part]) -> Iterator[Line]:
    for name, part in parts.items():
        yield Line(name, of_class(part["class_path"]) + _arguments(part))


def _arguments(part: Part) -> str:
    """The arguments by which a name differs from others of its class: " (model smollm2)"."""
    words = [
        f"{name} {value['class_path'].rpartition('.')[2] if isinstance(value, dict) else value}"
        for name, value in part.get("init_args", {}).items()
    ]
    return f" ({', '.join(words)})" if words else ""


def _metrics() -> Iterator[Line]:
    """The metrics of all sets of configs/evaluation."""
    files = sorted(METRICS.glob("*.yaml"))
    suites = [yaml.safe_load(path.read_text(encoding="utf-8")) for path in files]
    classes = {name: spec["class_path"] for suite in suites for name, spec in suite.items()}
    for name, path in classes.items():
        yield Line(name, of_class(path))


KINDS: dict[str, Callable[[], Iterator[Line]]] = {
    "methods": partial(_of_folder, METHODS),
    "metrics": _metrics,
    "segmenters": partial(_of_parts, SEGMENTERS),
    "parsers": partial(_of_parts, PARSERS),
    "generators": partial(_of_parts, GENERATORS),
    "encoders": partial(_of_parts, ENCODERS),
    "models": partial(_of_folder, MODELS),
    "sets": partial(_of_folder, SETS),
    "sweeps": partial(_of_folder, SWEEPS),
    "trainings": partial(_of_folder, TRAINING),
}
