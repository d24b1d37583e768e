"""Arguments of classes, read from their source: importing them, and torch, would take seconds.

A class accepts the arguments of its `__init__`, as annotated, and those of its base class where it
passes `**settings` on. Where the source does not tell, there are none to be read.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from datamodules.models.cache import once_per_process
from experiments.run.sources import OURS, imported_from, module_file

REQUIRED = object()  # in place of a default
UNCLEAR = object()  # a default that is no literal


@dataclass(frozen=True, eq=False)
class Argument:
    """An argument of a class.

    annotation: in the source of a module, None without one. module: its name.
    default:    REQUIRED without one, UNCLEAR for one that only running the code would tell.
    part:       path of the class that its value is built from, unless a configuration names
                another: of a dataclass of ours, or that of the default; "" for none.
    defaults:   of the default part's arguments, where they differ from those of its class.
    """

    annotation: ast.expr | None = None
    module: str = ""
    default: Any = REQUIRED
    part: str = ""
    defaults: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_group(self) -> bool:
        """Whether settings go below it without a class of their own."""
        return bool(self.part) and is_dataclass(self.part)


Arguments = Mapping[str, Argument]


@dataclass(frozen=True, eq=False)
class Module:
    """Classes and aliases of types in a module's source, and the origins of names it imports."""

    classes: Mapping[str, ast.ClassDef] = field(default_factory=dict)
    aliases: Mapping[str, ast.expr] = field(default_factory=dict)
    origins: Mapping[str, str] = field(default_factory=dict)


@once_per_process
def arguments(path: str) -> Arguments | None:
    """Arguments of a class by its path, "module.Name"; None where the source does not tell."""
    module, node = _class(path)
    if node is None:
        return None
    functions = (n for n in node.body if isinstance(n, ast.FunctionDef))
    start = next((n for n in functions if n.name == "__init__"), None)
    inherited = _inherited(node, module)
    if start:
        own = _of_function(start, module)
        others = _passed_on(start, inherited, module) if start.args.kwarg else {}
    else:
        own = {f.target.id: _argument(f.annotation, f.value, module) for f in _fields(node)}
        others = inherited or ({} if own else None)
    return None if others is None else {**others, **own}


def docstring(path: str) -> str:
    """Docstring of a class by its path, "" where there is none."""
    node = _class(path)[1]
    return (node and ast.get_docstring(node)) or ""


def with_defaults(every: Arguments, defaults: Mapping[str, Any]) -> Arguments:
    """Arguments with other defaults."""
    changed = {k: replace(every[k], default=value) for k, value in defaults.items() if k in every}
    return {**every, **changed}


def is_class(path: str) -> bool:
    """Whether a text is the path of a class whose source is here."""
    return "." in path and path.replace(".", "").isidentifier() and _class(path)[1] is not None


@once_per_process
def may_have(path: str, method: str) -> bool:
    """Whether a class has a method, itself or from a base of ours; yes where no source tells."""
    module, node = _class(path)
    if node is None:
        return True
    own = any(isinstance(n, ast.FunctionDef) and n.name == method for n in node.body)
    bases = (_path(base, module) for base in node.bases)
    return own or any(may_have(base, method) for base in bases if base.split(".")[0] in OURS)


def is_dataclass(path: str) -> bool:
    """Whether a path is that of a dataclass of ours."""
    node = _class(path)[1] if path.split(".")[0] in OURS else None
    return bool(node and _fields(node))


def forget() -> None:
    """Read all sources again: Python finds other modules now."""
    for cached in (arguments, may_have, _module):
        cached.cache_clear()


@once_per_process
def _module(name: str) -> Module:
    if not (file := module_file(name)):
        return Module()
    tree = ast.parse(file.read_bytes())
    package = name if file.name == "__init__.py" else name.rpartition(".")[0]
    origins = {}
    for statement in ast.walk(tree):
        if isinstance(statement, ast.ImportFrom):
            base = imported_from(statement, package)
            origins |= {a.asname or a.name: f"{base}.{a.name}" for a in statement.names}
    assigned = [n for n in tree.body if isinstance(n, ast.Assign)]
    aliases = {t.id: n.value for n in assigned for t in n.targets if isinstance(t, ast.Name)}
    classes = {n.name: n for n in tree.body if isinstance(n, ast.ClassDef)}
    return Module(classes, aliases, origins)


def _class(path: str) -> tuple[str, ast.ClassDef | None]:
    """The module of a class and its source, None if there is none.

    A package may pass on what its modules define.
    """
    module, _, name = path.rpartition(".")
    source = _module(module) if module else Module()
    origin = source.origins.get(name, path)
    if name not in source.classes and origin != path:
        return _class(origin)
    return module, source.classes.get(name)


def _path(node: ast.expr, module: str) -> str:
    """Path of a class that an expression names, as `Adam` or as `torch.optim.Adam`."""
    first, dot, rest = ast.unparse(node).partition(".")
    source = _module(module)
    here = f"{module}.{first}" if first in source.classes else first if dot else ""
    return f"{source.origins.get(first, here)}{dot}{rest}"


def _inherited(node: ast.ClassDef, module: str) -> Arguments | None:
    """Arguments of the first base class that is ours."""
    bases = (_path(base, module) for base in node.bases)
    return next((arguments(base) for base in bases if base.split(".")[0] in OURS), None)


def _of_function(start: ast.FunctionDef, module: str) -> Arguments:
    positional, only = start.args.args[1:], start.args.kwonlyargs
    required = [None] * (len(positional) - len(start.args.defaults))
    defaults = [*required, *start.args.defaults, *start.args.kw_defaults]
    pairs = zip([*positional, *only], defaults, strict=True)
    return {a.arg: _argument(a.annotation, default, module) for a, default in pairs}


def _fields(node: ast.ClassDef) -> list[ast.AnnAssign]:
    """Fields of a dataclass; [] for any other class."""
    return [n for n in node.body if isinstance(n, ast.AnnAssign) and node.decorator_list]


def _passed_on(
    start: ast.FunctionDef, inherited: Arguments | None, module: str
) -> Arguments | None:
    """Arguments of the class or base class that gets the arguments which are not named."""
    calls = [call for call in ast.walk(start) if isinstance(call, ast.Call)]
    for call in (call for call in calls if any(word.arg is None for word in call.keywords)):
        receiver = ast.unparse(call.func)
        return inherited if receiver == "super().__init__" else arguments(_path(call.func, module))
    return None


def _argument(annotation: ast.expr | None, default: ast.expr | None, module: str) -> Argument:
    group = _group(annotation, module)
    if default is None:
        return Argument(annotation, module, REQUIRED, group)
    if isinstance(default, ast.Call) and ast.unparse(default.func) in (
        "field",
        "dataclasses.field",
    ):
        words = {word.arg: word.value for word in default.keywords}
        default = words.get("default") or words.get("default_factory") or default
        if (empty := {"dict": {}, "list": []}.get(ast.unparse(default))) is not None:
            return Argument(annotation, module, empty, group)
    maker = default.body if isinstance(default, ast.Lambda) else default
    words = maker.keywords if isinstance(maker, ast.Call) else []
    callee = maker.func if isinstance(maker, ast.Call) else maker
    is_class = isinstance(callee, ast.Name | ast.Attribute)
    part = group or (_path(callee, module) if is_class else "")
    defaults = {word.arg: _literal(word.value) for word in words if word.arg}
    return Argument(annotation, module, _literal(default), part, defaults)


def _literal(node: ast.expr) -> Any:
    try:
        return ast.literal_eval(node)
    except ValueError:
        return UNCLEAR


def _group(annotation: ast.expr | None, module: str) -> str:
    """Path of the annotated class if it is a dataclass of ours: Blending, or Blending | None."""
    while isinstance(annotation, ast.BinOp):
        annotation = annotation.left
    path = _path(annotation, module) if isinstance(annotation, ast.Name) else ""
    return path if is_dataclass(path) else ""


def kinds(argument: Argument) -> list[ast.expr]:
    """Members of an argument's annotation, aliases resolved: `int` and `None` of `int | None`."""
    return members(argument.annotation, argument.module)


def members(node: ast.expr | None, module: str) -> list[ast.expr]:
    """Members of a union of types, or the type itself."""
    if isinstance(node, ast.BinOp):
        return members(node.left, module) + members(node.right, module)
    if isinstance(node, ast.Name):
        origin, _, name = (
            _module(module).origins.get(node.id, f"{module}.{node.id}").rpartition(".")
        )
        alias = _module(origin).aliases.get(name) if origin.split(".")[0] in OURS else None
        return members(alias, origin) if alias is not None else [node]
    if isinstance(node, ast.Subscript) and ast.unparse(node.value) in ("Union", "Optional"):
        inner = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        none = [ast.Constant(None)] if ast.unparse(node.value) == "Optional" else []
        return [member for part in inner for member in members(part, module)] + none
    return [node] if node is not None else []
