"""Settings that one configuration has and another one, which goes over it, has otherwise."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple


class Difference(NamedTuple):
    """A setting by its dotted name, as in commands, with the values under and over."""

    name: str
    under: Any
    over: Any

    def __str__(self) -> str:
        return f"{self.name} is {self.over}, not {self.under}"


def differences(under: Any, over: Any, name: str = "") -> Iterator[Difference]:
    """Settings of `under` whose value `over` does not have; of another class, the class alone."""
    if not (isinstance(under, Mapping) and isinstance(over, Mapping)):
        if under != over:
            yield Difference(name, under, over)
        return
    if "class_path" in under and under["class_path"] != over.get("class_path"):
        classes = (str(each.get("class_path")).rpartition(".")[2] for each in (under, over))
        yield Difference(name, *classes)
        return
    for key, value in under.items():
        inner = ".".join(filter(None, (name, key if key != "init_args" else "")))
        yield from differences(value, over.get(key), inner)
