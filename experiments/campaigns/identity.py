"""Identity of a run: what determines its pictures, written in one way.

Settings with the value that they have anyway are left out, and equal values are alike: 8, 8.0 and
"8" of a command line; a class by its name, or as a mapping with its arguments.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from datamodules.models.cache import once_per_process
from experiments.run.arguments import REQUIRED, UNCLEAR, Argument
from experiments.run.configuration import Configuration, class_paths, with_settings
from experiments.run.registry import PARTS
from experiments.run.schema import TOP, argument_of, leaves
from experiments.run.values import checked, is_simple, plain

SCORES = "evaluation.suite"  # a run's own scores are part of its result
WITHOUT_EFFECT = (  # on the pictures
    *("wandb.", "run.out", "run.overwrite", "run.checkpoint_every", "run.keep_checkpoint"),
    "code",  # the place of own code: what is in it counts by itself
)


@dataclass(frozen=True)
class Settled:
    """Settings as they are meant.

    settings: by dotted name, as their annotations have them. values: of the whole configuration,
    those that differ from their defaults. modules: those of its classes, and of its scores.
    """

    settings: Mapping[str, Any]
    values: Mapping[str, Any]
    modules: tuple[str, ...]


def settle(config: Configuration, settings: Mapping[str, Any]) -> Settled:
    """Settings over a configuration, checked: AtelierError for an unknown one or a wrong value."""
    for name, value in settings.items():
        _ = plain(name, value)  # refuses what JSON does not have
    start = json.dumps(config)
    parts = {name: value for name, value in settings.items() if name in PARTS}
    form = _form(start, json.dumps(parts))
    simple = {name for name in settings.keys() - parts.keys() if form.is_simple(name)}
    if len(simple) + len(parts) < len(settings):
        form = _form(start, json.dumps({n: v for n, v in settings.items() if n not in simple}))
    values, typed = {**form.values}, {**settings}
    for name in simple:
        typed[name] = form.checked(name, settings[name])
        for replaced in form.at_or_below.get(name, ()):
            values.pop(replaced, None)
        values |= form.entries(name, typed[name])
    return Settled(typed, values, form.modules)


class _Form:
    """A configuration, to which simple settings are added without composing it again."""

    def __init__(self, config: Configuration) -> None:
        self.config = config
        self.values: dict[str, Any] = {}
        classes = {*class_paths(config), TOP["data"]}
        for leaf in leaves(config):
            classes |= {leaf.value} if leaf.name.endswith(".class_path") else set()
            if not leaf.name.startswith(WITHOUT_EFFECT):
                self.values |= _unless_default(leaf.name, leaf.checked, leaf.argument)
        self.modules = SCORES, *sorted({path.rpartition(".")[0] for path in classes})
        self.at_or_below: dict[str, list[str]] = {}  # names of values by those above them
        for name in self.values:
            for above in itertools.accumulate(name.split("."), "{}.{}".format):
                self.at_or_below.setdefault(above, []).append(name)
        self._arguments: dict[str, tuple[Argument | None, str]] = {}
        self._simple: dict[str, bool] = {}
        self._checked: dict[tuple[str, str], Any] = {}

    def argument(self, name: str) -> tuple[Argument | None, str]:
        """The argument that a setting is, and the end of a sentence about it."""
        if name not in self._arguments:
            argument, owner = argument_of(self.config, name)
            self._arguments[name] = argument, f" of {owner}" if owner else ""
        return self._arguments[name]

    def is_simple(self, name: str) -> bool:
        """Whether a setting takes numbers, texts, lists and mappings only."""
        if name not in self._simple:
            self._simple[name] = is_simple(self.argument(name)[0])
        return self._simple[name]

    def checked(self, name: str, value: Any) -> Any:
        """The value of a simple setting, as its annotation has it."""
        key = name, repr(value)
        if key not in self._checked:
            self._checked[key] = checked(name, value, *self.argument(name))
        return self._checked[key]

    def entries(self, name: str, value: Any) -> dict[str, Any]:
        """A simple setting as it counts; {} if it has no effect, or is the default."""
        if name.startswith(WITHOUT_EFFECT):
            return {}
        if isinstance(value, Mapping):
            return {f"{name}.{key}": entry for key, entry in value.items()}
        return _unless_default(name, value, self.argument(name)[0])


@once_per_process(at_most=4096)
def _form(config: str, settings: str) -> _Form:
    """The form of a configuration with settings that change more than a value; both as JSON."""
    return _Form(with_settings(json.loads(config), json.loads(settings)))


def _unless_default(name: str, value: Any, argument: Argument | None) -> dict[str, Any]:
    default = argument.default if argument else REQUIRED
    if default in (REQUIRED, UNCLEAR) or isinstance(default, bool) != isinstance(value, bool):
        return {name: value}
    return {} if plain(name, default) == value else {name: value}
