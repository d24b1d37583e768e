"""Words of LightningCLI's command line, checked before its slow imports."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import yaml

from datamodules.support.errors import AtelierError
from datamodules.support.suggestions import did_you_mean
from experiments.run.configuration import Configuration, merge, with_settings
from experiments.run.options import SETTINGS
from experiments.run.outdated import refuse_outdated_files
from experiments.run.schema import TOP

OWN = ("--help", "-h", "--config", "--print_config")  # LightningCLI's options beside the settings


def refuse_unknown_words(words: Sequence[str]) -> None:
    """AtelierError for an option or a setting that no class accepts, with the nearest one."""
    refuse_outdated_files(words)
    config: Configuration = {}
    settings = {}
    for option, value in _pairs(words):
        name = option.removeprefix("--").rstrip("+")
        if option == "--config":
            with suppress(OSError, ValueError, yaml.YAMLError):  # LightningCLI refuses the file
                config = merge(config, yaml.safe_load(Path(value).read_text("utf-8")) or {})
        elif name.split(".")[0] in TOP or "." in name:
            settings |= {} if name.endswith(".help") else {name: value}
        elif option.split("=")[0] not in OWN:
            there = [*OWN, *(f"--{setting}" for setting in (*TOP, *SETTINGS.values()))]
            hint = did_you_mean(option, there)
            raise AtelierError(f"atelier fit has no option {option}{hint}; see atelier fit --help")
    with_settings(config, settings)


def _pairs(words: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Options with their values, "" for none."""
    for word, following in zip(words, [*words[1:], ""], strict=True):
        option, equals, value = word.partition("=")
        if option.startswith("-") and not option[1:2].isdigit():
            yield option, value if equals else "" if following.startswith("-") else following
