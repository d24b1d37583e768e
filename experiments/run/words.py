"""Words of LightningCLI's command line, checked before its slow imports."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import yaml

from datamodules.support.errors import AtelierError
from datamodules.support.suggestions import did_you_mean
from experiments.run.configuration import Configuration, merge, with_settings
from experiments.run.options import SETTINGS
from experiments.run.outdated import refuse_outdated_files
from experiments.run.own_code import CODE, classes_in, folder_of, with_code
from experiments.run.registry import CONFIGS
from experiments.run.schema import TOP

OWN = ("--help", "-h", "--config", "--print_config")  # LightningCLI's options beside the settings


def settled_words(words: Sequence[str]) -> list[str]:
    """The words with whole paths of files in configs/, and with the folders of own code.

    Raises AtelierError for an option or a setting that no class accepts, with the nearest one.
    """
    words = [_whole(word) for word in words]
    refuse_outdated_files(words)
    config: Configuration = {}
    settings = {}
    for option, value in _pairs(words):
        name = option.removeprefix("--").rstrip("+")
        for path in classes_in(value):
            folder_of(path)  # for `--model.help my_method.MyMethod`, too
        if option == "--config":
            with suppress(OSError, ValueError, yaml.YAMLError):  # LightningCLI refuses the file
                config = merge(config, _read(Path(value)))
        elif name.split(".")[0] in TOP or "." in name:
            settings |= {} if name.endswith(".help") else {name: value}
        elif option.split("=")[0] not in OWN:
            there = [*OWN, *(f"--{setting}" for setting in (*TOP, *SETTINGS.values()))]
            hint = did_you_mean(option, there)
            raise AtelierError(f"atelier fit has no option {option}{hint}; see atelier fit --help")
    code = with_settings(config, settings).get(CODE)
    return [*words, f"--{CODE}={json.dumps(code)}"] if code else words


def _whole(word: str) -> str:
    """A path such as configs/methods/gatys.yaml that is not in the current folder: Atelier's."""
    option, _, path = word.rpartition("=")
    ours = CONFIGS.parent / path
    is_ours = Path(path).parts[:1] == (CONFIGS.name,) and not Path(path).exists() and ours.is_file()
    return f"{option}={ours}" if is_ours and option else str(ours) if is_ours else word


def _read(path: Path) -> Configuration:
    config = yaml.safe_load(path.read_text("utf-8")) or {}
    return with_code(config, path.absolute().parent)


def _pairs(words: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Options with their values, "" for none."""
    for word, following in zip(words, [*words[1:], ""], strict=True):
        option, equals, value = word.partition("=")
        if option.startswith("-") and not option[1:2].isdigit():
            yield option, value if equals else "" if following.startswith("-") else following
