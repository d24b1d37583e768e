"""The published weights that the shipped configurations name, and those that a configuration needs.

A class that reads published weights says which by a class method
`weights_needed(**arguments) -> list[str]`, which gets all arguments of its constructor.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from inspect import signature
from pathlib import Path
from pkgutil import resolve_name
from typing import Any

import yaml

from datamodules.models.published import UNTRAINED
from datamodules.models.schemes import is_path


@dataclass(frozen=True)
class Listed:
    """Weights of the catalogue.

    name: as configurations and `atelier weights` have it. use: what they are for. megabytes: about,
    10^6 bytes. licence: of the weights. place: their repository or URL as the library that names
    them has it; "" for other names.
    """

    name: str
    use: str
    megabytes: int
    licence: str
    place: str = ""


def catalogue() -> list[Listed]:
    """All published weights that the shipped configurations and metrics can name."""
    text = Path(__file__).with_suffix(".yaml").read_text(encoding="utf-8")
    return [Listed(**entry) for entry in yaml.safe_load(text)]


def to_fetch(*sources: str) -> list[str]:
    """The sources that are names of published weights, neither local files nor "untrained"."""
    return [name for name in sources if name != UNTRAINED and not is_path(name)]


def needed_by(config: Any, reads: Callable[[str], bool] = lambda path: True) -> list[str]:
    """Names of the published weights that the classes of a configuration need, each once.

    config: mappings and lists, in which a class is {"class_path": ..., "init_args": {...}}.
    reads: whether a class, by its path, may read some; the others are not imported.
    """
    return list(dict.fromkeys(_needed(config, reads)))


def _needed(node: Any, reads: Callable[[str], bool]) -> Iterator[str]:
    if isinstance(node, Mapping):
        if "class_path" in node and reads(node["class_path"]):
            yield from _needed_by_class(node["class_path"], node.get("init_args") or {})
        for value in node.values():
            yield from _needed(value, reads)
    elif isinstance(node, list):
        for value in node:
            yield from _needed(value, reads)


def _needed_by_class(path: str, arguments: Mapping[str, Any]) -> list[str]:
    try:
        owner = resolve_name(path)
        bound = signature(owner).bind_partial(**arguments)
    except (ImportError, AttributeError, ValueError, TypeError):
        return []  # LightningCLI has the better words for what is wrong here
    bound.apply_defaults()
    return owner.weights_needed(**bound.arguments) if hasattr(owner, "weights_needed") else []
