"""Values of settings, checked and converted by the annotations of their arguments.

Strings of a command line may stand for any type of value, as for LightningCLI. What an annotation
does not tell, such as a class of PyTorch's, is left to it.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Callable, Mapping
from typing import Any

import yaml

from datamodules.support.errors import AtelierError
from experiments.run.arguments import Argument, kinds, members

POSITIVE = Argument(ast.Name("PositiveFloat"))
NOT_NEGATIVE = Argument(ast.Name("NonNegativeInt"))
BY_NAME = {  # arguments whose own annotations admit what no run can use
    "lr": POSITIVE,
    "max_steps": NOT_NEGATIVE,
    "data.size": Argument(ast.Name("PositiveInt")),
    "data.full_size": NOT_NEGATIVE,
}

Convert = Callable[[Any], Any]  # raises ValueError for a value of another kind


def checked(name: str, value: Any, argument: Argument | None, owner: str = "") -> Any:
    """The value of a setting as its annotation has it: 8 of 8.0 or "8" for a whole number.

    name: dotted. owner: end of a sentence about the setting, " of CLASS". Raises AtelierError for a
    value of another kind, and for numbers that are not finite.
    """
    _ = plain(name, value)  # whatever the annotation: a number is finite
    argument = BY_NAME.get(name) or BY_NAME.get(name.rpartition(".")[2], argument)
    expected = []
    for kind in kinds(argument) if argument else ():
        words, convert = _kind(kind, argument.module)
        if convert is None:
            return plain(name, value)
        try:
            return plain(name, convert(value))
        except (ValueError, TypeError, OverflowError):
            expected += [words] if words else []
    if not expected:
        return plain(name, value)
    give = " or ".join(dict.fromkeys(expected))
    raise AtelierError(f"The setting {name}{owner} is {_shown(value)}; give {give}")


def is_simple(argument: Argument | None) -> bool:
    """Whether an annotation tells the values of an argument: numbers, texts, lists, mappings."""
    types = kinds(argument) if argument else []
    return bool(types) and all(_kind(kind, argument.module)[1] for kind in types)


def entries(argument: Argument) -> Argument | None:
    """Every entry of a mapping as an argument; None where the annotation does not tell."""
    for kind in kinds(argument):
        if isinstance(kind, ast.Subscript) and ast.unparse(kind.value) == "dict":
            return Argument(kind.slice.elts[1], argument.module)
    return None


def plain(name: str, value: Any) -> Any:
    """A value in which equal numbers are alike.

    Raises AtelierError for numbers that are not finite, and for what JSON does not have.
    """
    if isinstance(value, float):
        if not math.isfinite(value):
            raise AtelierError(f"The setting {name} is {value}; give a finite number")
        return int(value) if value.is_integer() and abs(value) < 2**53 else value
    if isinstance(value, Mapping):
        return {str(key): plain(name, entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [plain(name, entry) for entry in value]
    if not isinstance(value, str | int | None):  # YAML knows dates, sets and bytes as well
        raise AtelierError(f"The setting {name} is {value!r}; put it in quotes if it is a text")
    return value


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."


def _kind(node: ast.expr, module: str) -> tuple[str, Convert | None]:
    """Name of the values of a type, and their conversion; None for a type of any kind."""
    if isinstance(node, ast.Constant) and node.value is None:
        return "", _none
    if isinstance(node, ast.Subscript):
        return _compound(node, module)
    name = getattr(node, "id", "")
    return KINDS.get(name.rpartition(".")[2], ("", None))


def _compound(node: ast.Subscript, module: str) -> tuple[str, Convert | None]:
    kind = ast.unparse(node.value)
    inner = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
    if kind == "Literal":
        choices = [part.value for part in inner if isinstance(part, ast.Constant)]
        return " or ".join(map(str, choices)), lambda value: choices[choices.index(value)]
    if kind == "list":
        return "a list", lambda value: [_any(entry, inner[0], module) for entry in _listed(value)]
    if kind == "dict":
        return "a mapping", lambda value: {
            key: _any(entry, inner[1], module) for key, entry in _mapped(value).items()
        }
    return "", None


def _any(value: Any, node: ast.expr, module: str) -> Any:
    """A value as one of a union's members has it."""
    for member in members(node, module):
        convert = _kind(member, module)[1]
        if convert is None:
            return value
        try:
            return convert(value)
        except (ValueError, TypeError, OverflowError):
            continue
    raise ValueError(value)


def _none(value: Any) -> None:
    if value not in (None, "null", "None"):
        raise ValueError(value)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(value)
    return value


def _boolean(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    return ("false", "true").index(_text(value).lower()) == 1


def _no() -> Any:
    raise ValueError


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError(value)
    number = float(value) if isinstance(value, str) else value
    if not math.isfinite(number):
        raise ValueError(value)
    return number


def _whole(value: Any) -> int:
    if isinstance(value, str) and value.lstrip("+-").isdecimal():
        return int(value)
    number = _number(value)
    if number != int(number):
        raise ValueError(value)
    return int(number)


def _listed(value: Any) -> list[Any]:
    value = yaml.safe_load(value) if isinstance(value, str) and value.startswith("[") else value
    return [*value] if isinstance(value, list | tuple) else _no()


def _mapped(value: Any) -> Mapping[str, Any]:
    value = yaml.safe_load(value) if isinstance(value, str) and value.startswith("{") else value
    return value if isinstance(value, Mapping) else _no()


def _from(convert: Convert, low: float, included: bool = True) -> Convert:
    def converted(value: Any) -> Any:
        number = convert(value)
        return number if number > low or (included and number == low) else _no()

    return converted


KINDS: dict[str, tuple[str, Convert]] = {
    "str": ("a text", _text),
    "bool": ("true or false", _boolean),
    "int": ("a whole number", _whole),
    "float": ("a number", _number),
    "PositiveInt": ("a whole number above 0", _from(_whole, 0, included=False)),
    "NonNegativeInt": ("a whole number, 0 or more", _from(_whole, 0)),
    "PositiveFloat": ("a number above 0", _from(_number, 0, included=False)),
    "NonNegativeFloat": ("a number, 0 or more", _from(_number, 0)),
}
