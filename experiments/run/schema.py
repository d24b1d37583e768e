"""Settings of a configuration and the arguments that they are, by the source of their classes."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from datamodules.support.errors import AtelierError
from datamodules.support.suggestions import did_you_mean, there_are
from experiments.run.arguments import (
    REQUIRED,
    Argument,
    Arguments,
    arguments,
    is_class,
    with_defaults,
)
from experiments.run.values import checked, entries, is_simple

TRAINER_DEFAULTS = {
    "max_epochs": -1,  # trainer.max_steps ends a run
    "devices": 1,  # one picture fills no second device
    "logger": False,  # losses.csv is always written; W&B is attached once the run has a name
    "enable_checkpointing": False,
    "enable_model_summary": False,
    "log_every_n_steps": 5,
    "enable_progress_bar": False,  # StepProgress shows steps and losses instead of epochs
}
TOP = {  # settings of LightningCLI with their classes; "" where the configuration names it
    "model": "",
    "data": "datamodules.stylization.StylizationDataModule",
    "trainer": "lightning.pytorch.trainer.trainer.Trainer",
    "run": "experiments.run.run_settings.Run",
    "interpolation": "datamodules.interpolation.Interpolation",
    "training": "experiments.run.train.Files",
    "wandb": "experiments.run.tracking.Wandb",
    "seed_everything": "",
    "code": "",
    "optimizer": "",  # unused, but part of every configuration that LightningCLI writes
    "lr_scheduler": "",
}
SEED = Argument(ast.Name("NonNegativeInt"), default=0)
FOLDERS = Argument(ast.parse("list[str]", mode="eval").body, default=[])
DEFAULTS = {"trainer": TRAINER_DEFAULTS}  # defaults that differ from those of the class


@dataclass(frozen=True)
class Leaf:
    """A value in a configuration: its dotted name, argument, and the end of a sentence about it."""

    name: str
    value: Any
    argument: Argument | None
    owner: str = ""

    @property
    def checked(self) -> Any:
        """The value as its annotation has it; AtelierError for one of another kind."""
        return checked(self.name, self.value, self.argument, self.owner)


def top() -> Arguments:
    """The settings at the top of a configuration."""
    parts = {
        name: Argument(part=path, defaults=DEFAULTS.get(name, {})) for name, path in TOP.items()
    }
    return parts | {"seed_everything": SEED, "code": FOLDERS}


def refuse_unknown(config: Mapping[str, Any]) -> None:
    """AtelierError for the first key of a configuration that its class does not accept."""
    for _ in leaves(config):
        pass


def leaves(config: Mapping[str, Any]) -> Iterator[Leaf]:
    """All values of a configuration, also paths of classes; AtelierError for an unknown key."""
    yield from _leaves(config, top(), (), "")


def _leaves(
    node: Mapping[str, Any], names: Arguments | None, path: Sequence[str], owner: str
) -> Iterator[Leaf]:
    """owner: end of a sentence about a setting, " of CLASS"."""
    for key, value in node.items():
        if names is not None and key not in names:
            wrong = ".".join((*path, key))
            there = [".".join((*path, name)) for name in names]
            hint = did_you_mean(wrong, there) or there_are(wrong, there)
            raise AtelierError(f"There is no setting {wrong!r}{owner}{hint}")
        argument, name = names[key] if names else None, ".".join((*path, str(key)))
        if isinstance(value, str) and not is_simple(argument) and is_class(value):
            value = {"class_path": value}
        if not isinstance(value, Mapping):
            yield Leaf(name, value, argument, owner)
            continue
        below = Below.of(argument, value)
        if below.path and not (argument and argument.is_group):
            default = argument.part if argument else REQUIRED
            yield Leaf(f"{name}.class_path", below.path, Argument(default=default))
        whose = f" of {below.path.rpartition('.')[2]}" if below.path else owner
        yield from _leaves(below.values, below.arguments, (*path, str(key)), whose)


@dataclass(frozen=True)
class Below:
    """A mapping in a configuration.

    path: of the class that is built from it, "" for none. values: of its arguments. arguments:
    those that there are, None where its source does not tell.
    """

    path: str
    values: Mapping[str, Any]
    arguments: Arguments | None

    @classmethod
    def of(cls, argument: Argument | None, value: Mapping[str, Any]) -> Below:
        """A mapping as the value of an argument."""
        values = value.get("init_args") or {} if "class_path" in value else value
        default = argument.part if argument else ""
        if path := value.get("class_path", default):
            every = arguments(path)
            defaults = argument.defaults if argument and path == default else {}
            return cls(path, values, with_defaults(every, defaults) if every else every)
        entry = entries(argument) if argument else None
        return cls("", values, dict.fromkeys(values, entry) if entry else None)


def argument_of(config: Mapping[str, Any], setting: str) -> tuple[Argument | None, str]:
    """The argument that a setting has in a configuration, by dotted name, and its class's name.

    None for a setting that is not there, or of which the source does not tell.
    """
    *path, last = setting.split(".")
    names, node, owner = top(), config, ""
    for key in path:
        value = node.get(key)
        if names is None or key not in names:
            return None, ""
        below = Below.of(names[key], value if isinstance(value, Mapping) else {})
        names, node, owner = below.arguments, below.values, below.path.rpartition(".")[2]
    if names is None and isinstance(node, Mapping):
        return None, ""
    return (names or {}).get(last), owner
