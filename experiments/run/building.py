"""LightningCLI as a parser and builder of configurations, which runs nothing by itself."""

from __future__ import annotations

import logging
import warnings
from typing import Any, TypeVar

from jsonargparse import ArgumentError
from lightning import LightningDataModule, LightningModule
from lightning.pytorch.cli import LightningArgumentParser, LightningCLI
from lightning.pytorch.utilities.exceptions import MisconfigurationException

from experiments.run.refusals import for_people

CLI = TypeVar("CLI", bound=LightningCLI)


def build(
    kind: type[CLI],
    model: type[LightningModule],
    data: type[LightningDataModule],
    arguments: dict[str, Any] | list[str],
    **settings: Any,
) -> CLI:
    """Build a LightningCLI that runs nothing by itself; AtelierError for a wrong setting.

    kind: its class. settings: further arguments of it.
    """
    # Lightning's hints about loaders and loggers do not fit what is done here.
    warnings.filterwarnings("ignore", module="lightning")
    for talker in ("lightning.pytorch", "lightning.fabric"):
        logging.getLogger(talker).setLevel(logging.WARNING)
    own = settings.pop("parser_kwargs", {})
    try:
        return kind(
            model,
            data,
            run=False,
            args=arguments,
            seed_everything_default=0,
            save_config_callback=None,
            parser_kwargs={"exit_on_error": False} | own,
            **settings,
        )
    except (ArgumentError, MisconfigurationException, ValueError) as error:
        raise for_people(error) from error


def unbuilt(kind: type[CLI]) -> type[CLI]:
    """The same command line, which checks its configuration and builds nothing of it."""
    return type(kind.__name__, (kind,), {"instantiate_classes": lambda self: None})


def add_code(parser: LightningArgumentParser) -> None:
    """Add the setting `code`, which experiments.run.own_code writes and reads."""
    text = "folders in which classes are found that no package installs"
    parser.add_argument("--code", type=list[str], default=[], help=text)
