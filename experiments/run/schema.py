"""Names of settings, from the source of classes: importing them, and torch, would take seconds.

A class accepts the arguments of its `__init__`, as annotated, and those of its base class where it
passes `**settings` on. Where the source does not tell, every name is left to LightningCLI.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from datamodules.models.cache import once_per_process
from datamodules.support.errors import AtelierError
from datamodules.support.suggestions import did_you_mean, there_are

ROOT = Path(__file__).parents[2]
OURS = ("datamodules", "evaluation", "experiments", "lightning_modules")
TOP = {  # settings of LightningCLI with their classes; "" where the configuration names it
    "model": "",
    "data": "datamodules.stylization.StylizationDataModule",
    "trainer": "lightning.pytorch.trainer.trainer.Trainer",
    "run": "experiments.run.lightning_cli.Run",
    "interpolation": "datamodules.interpolation.Interpolation",
    "training": "experiments.run.train.Files",
    "wandb": "experiments.run.tracking.Wandb",
    "seed_everything": "",
    "optimizer": "",  # unused, but part of every configuration that LightningCLI writes
    "lr_scheduler": "",
}

Names = dict[str, str]  # arguments, each with the path of its dataclass, "" for none of ours


def refuse_unknown(config: Mapping[str, Any]) -> None:
    """AtelierError for the first key of a configuration that its class does not accept."""
    _refuse(config, TOP, (), "")


def _refuse(node: Mapping[str, Any], names: Names | None, path: Sequence[str], owner: str) -> None:
    """owner: end of a sentence about a setting, " of CLASS"."""
    if names is None:
        return
    for key, value in node.items():
        if key not in names:
            wrong = ".".join((*path, key))
            there = [".".join((*path, name)) for name in names]
            hint = did_you_mean(wrong, there) or there_are(wrong, there)
            raise AtelierError(f"There is no setting {wrong!r}{owner}{hint}")
        if isinstance(value, Mapping):
            own_class = value.get("class_path", names[key])
            arguments = value.get("init_args") or {} if "class_path" in value else value
            whose = f" of {own_class.rpartition('.')[2]}"
            _refuse(arguments, accepted(own_class) if own_class else None, (*path, key), whose)


@once_per_process
def accepted(path: str) -> Names | None:
    """Arguments of a class by its path, "module.Name"; None where the source does not tell."""
    node, places = _source(path)
    if node is None:
        return None
    functions = (n for n in node.body if isinstance(n, ast.FunctionDef))
    start = next((n for n in functions if n.name == "__init__"), None)
    inherited = _inherited(node, places)
    if start:
        own = {argument.arg: argument.annotation for argument in _arguments(start)}
        others = _passed_on(start, inherited, places) if start.args.kwarg else {}
    else:
        own = _fields(node)
        others = inherited or ({} if own else None)
    return None if others is None else others | {k: _group(a, places) for k, a in own.items()}


@once_per_process
def _source(path: str) -> tuple[ast.ClassDef | None, Mapping[str, str]]:
    """A class in its source, if there is one, and the paths of the names in its module."""
    module, _, name = path.rpartition(".")
    if not (file := _file(module)):
        return None, {}
    tree = ast.parse(file.read_text(encoding="utf-8"))
    places = {n.name: f"{module}.{n.name}" for n in tree.body if isinstance(n, ast.ClassDef)}
    for statement in ast.walk(tree):
        if isinstance(statement, ast.ImportFrom) and statement.module:
            places |= {a.asname or a.name: f"{statement.module}.{a.name}" for a in statement.names}
    classes = (n for n in tree.body if isinstance(n, ast.ClassDef) and n.name == name)
    return next(classes, None), places


def _file(module: str) -> Path | None:
    """Source of a module, whose package is located but not imported."""
    package, *inner = module.split(".")
    if package in OURS:
        start = ROOT / package
    elif (spec := find_spec(package)) and spec.origin:
        start = Path(spec.origin).parent
    else:
        return None
    file = start.joinpath(*inner).with_suffix(".py")
    return file if file.is_file() else None


def _inherited(node: ast.ClassDef, places: Mapping[str, str]) -> Names | None:
    """Arguments of the first base class that is ours."""
    bases = (places.get(base.id, "") for base in node.bases if isinstance(base, ast.Name))
    return next((accepted(base) for base in bases if base.split(".")[0] in OURS), None)


def _arguments(start: ast.FunctionDef) -> list[ast.arg]:
    return [*start.args.args[1:], *start.args.kwonlyargs]


def _fields(node: ast.ClassDef) -> dict[str, ast.expr]:
    """Annotations of a dataclass's fields; {} for any other class."""
    fields = [n for n in node.body if isinstance(n, ast.AnnAssign) and node.decorator_list]
    return {field.target.id: field.annotation for field in fields}


def _passed_on(
    start: ast.FunctionDef, inherited: Names | None, places: Mapping[str, str]
) -> Names | None:
    """Arguments of the class or base class that gets the arguments which are not named."""
    calls = [call for call in ast.walk(start) if isinstance(call, ast.Call)]
    for call in (call for call in calls if any(word.arg is None for word in call.keywords)):
        receiver = ast.unparse(call.func)
        return inherited if receiver == "super().__init__" else accepted(places.get(receiver, ""))
    return None


def _group(annotation: ast.expr | None, places: Mapping[str, str]) -> str:
    """Path of the annotated class if it is a dataclass of ours: Blending, or Blending | None."""
    while isinstance(annotation, ast.BinOp):
        annotation = annotation.left
    path = places.get(annotation.id, "") if isinstance(annotation, ast.Name) else ""
    node = _source(path)[0] if path.split(".")[0] in OURS else None
    return path if node and _fields(node) else ""
