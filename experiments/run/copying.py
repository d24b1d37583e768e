"""Copies of Atelier's methods and other parts in a user's folder, under names of their own."""

from __future__ import annotations

import ast
import keyword
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from datamodules.support import outside
from datamodules.support.errors import AtelierError
from datamodules.support.files import make_folder, write_text
from datamodules.support.suggestions import did_you_mean
from experiments.run import registry
from experiments.run.metrics import EMBEDDED, metrics_by_name
from experiments.run.registry import METHODS, MODELS, find_method, names
from experiments.run.sources import module_file, places

OPTIONS = {  # by which a command takes a class of a kind
    "metrics": "--metrics",
    "segmenters": "--segmenter",
    "parsers": "--parser",
    "generators": "--model.generator",
    "encoders": "--model.encoder",
}
TABLES: dict[str, Callable[[], dict[str, registry.Part]]] = {
    "metrics": lambda: metrics_by_name(EMBEDDED),
    "segmenters": lambda: registry.SEGMENTERS,
    "parsers": lambda: registry.PARSERS,
    "generators": lambda: registry.GENERATORS,
    "encoders": lambda: registry.ENCODERS,
}
KINDS = ("methods", *TABLES)


@dataclass(frozen=True)
class Copied:
    """The files of a copy, and the option by which commands use it."""

    files: tuple[Path, ...]
    use: str


def find(name: str, kind: str | None) -> str:
    """The kind that has a name; AtelierError if none has it, or several have."""
    there = {each: _names(each) for each in ([kind] if kind else KINDS)}
    having = [each for each, entries in there.items() if name in entries]
    if not having:
        every = [entry for entries in there.values() for entry in entries]
        raise AtelierError(
            f"There is nothing called {name!r} to copy; see atelier list{did_you_mean(name, every)}"
        )
    if len(having) > 1:
        raise AtelierError(f"{name} is one of the {' and of the '.join(having)}; add --kind")
    return having[0]


def _names(kind: str) -> list[str]:
    ours = names(METHODS) if kind == "methods" else TABLES[kind]()
    return [*ours, *outside.names(kind)]


def copy(kind: str, part: str, folder: Path, name: str) -> Copied:
    """Copy a part under a new name, which its files and its class get.

    Raises AtelierError for a name that is none, or would hide or be hidden, and rather than
    overwrite a file.
    """
    _check(name)
    method = find_method(part) if kind == "methods" else None
    old = method.class_path if method else _class_path(kind, part)
    source, class_name = _renamed(old, name, part)
    texts = {f"{name}.py": source}
    if method:
        for file in _yaml_files(method):
            text = file.read_text(encoding="utf-8").replace(old, f"{name}.{class_name}")
            texts[_yaml_name(file, method, name)] = text
    files = {folder / file: text for file, text in texts.items()}
    if there := [file for file in files if file.exists()]:
        raise AtelierError(f"{there[0]} is there already; move it away, or give another --name")
    make_folder(folder)
    for file, text in files.items():
        write_text(file, text)
    yaml = folder / f"{name}.yaml"
    use = f"--method {yaml}" if method else f"{OPTIONS[kind]} {name}.{class_name} in {folder}"
    return Copied(tuple(files), use)


def _check(name: str) -> None:
    if not name.isidentifier() or keyword.iskeyword(name):
        raise AtelierError(f"{name!r} is no name for a Python file; give --name my_method")
    if name in names(METHODS) or places(name):
        raise AtelierError(f"Python has a {name} already, which hides yours; give another --name")


def _class_path(kind: str, part: str) -> str:
    if entry := None if part in TABLES[kind]() else outside.find(kind, part):
        return entry.class_path
    return TABLES[kind]()[part]["class_path"]


def _renamed(path: str, name: str, part: str) -> tuple[str, str]:
    """The source of a class's module in which the class has another name, and that name."""
    module, _, old = path.rpartition(".")
    file = module_file(module)
    text = file.read_text(encoding="utf-8")
    new = f"My{old}" if name == f"my_{part}" else _camel(name)
    tree = ast.parse(text)
    if any(isinstance(node, ast.ImportFrom) and node.level for node in ast.walk(tree)):
        raise AtelierError(f"{file} is not for copying: it imports from beside itself")
    lines = text.splitlines(keepends=True)
    for line, column in sorted(_places(tree, old, lines), reverse=True):
        row = lines[line].encode()
        lines[line] = (row[:column] + new.encode() + row[column + len(old) :]).decode()
    return "".join(lines), new


def _places(tree: ast.Module, name: str, lines: list[str]) -> set[tuple[int, int]]:
    """Line and column, in bytes, of a class's name where it is code."""
    spots = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id == name:
            spots.add((node.lineno - 1, node.col_offset))
        if isinstance(node, ast.ClassDef) and node.name == name:
            line = node.lineno - 1
            spots.add((line, lines[line].index(name)))
    return spots


def _camel(name: str) -> str:
    return "".join(word[:1].upper() + word[1:] for word in name.split("_"))


def _yaml_files(method: registry.Method) -> list[Path]:
    """A method's own files: its YAML, and those for single presets of models."""
    if method.is_built_in:
        every = MODELS.glob(f"*/{method.name}[.-]*yaml")
        return [method.file, *sorted(every)]
    return [method.file, *sorted(method.file.parent.glob(f"{method.file.stem}.*.yaml"))]


def _yaml_name(file: Path, method: registry.Method, name: str) -> str:
    """The name of the copy of one of these files, beside the copy of the method."""
    rest = file.stem.removeprefix(method.file.stem)
    preset = f".{file.parent.name}" if method.is_built_in and file != method.file else ""
    return f"{name}{preset}{rest}.yaml"
