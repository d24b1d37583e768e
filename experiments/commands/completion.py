"""Print a script by which a shell completes the command `atelier`.

The Tab key then completes commands, options and their values: the names of methods, presets,
segmenters, parsers, sets and sweeps, files and folders. The script is static, so that completing
starts no Python; print it again after an update.

  source <(atelier completion bash)                              in ~/.bashrc
  atelier completion zsh > ~/.zfunc/_atelier                     in a folder of $fpath
  atelier completion fish > ~/.config/fish/completions/atelier.fish
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable
from importlib import import_module

from datamodules.support.errors import AtelierError
from evaluation.instruction_sets import SETS as INSTRUCTION_SETS
from experiments.run.listing import KINDS
from experiments.run.registry import (
    METHODS,
    METRICS,
    MODELS,
    PARSERS,
    SEGMENTERS,
    SETS,
    SWEEPS,
    TRAINING,
    names,
)

SHELLS = ("bash", "zsh", "fish")
NAMES: dict[tuple[str, str], Callable[[], Iterable[str]]] = {  # by command ("" for all), argument
    ("", "method"): lambda: names(METHODS),
    ("", "methods"): lambda: names(METHODS),
    ("", "models"): lambda: names(MODELS),
    ("evaluate", "models"): lambda: names(METRICS),
    ("", "parser"): lambda: PARSERS,
    ("", "parsers"): lambda: PARSERS,
    ("", "segmenter"): lambda: SEGMENTERS,
    ("bench", "set"): lambda: names(SETS),
    ("evaluate-parsers", "set"): lambda: INSTRUCTION_SETS,
    ("sweep", "sweep"): lambda: names(SWEEPS),
    ("list", "kind"): lambda: KINDS,
    ("copy", "part"): lambda: names(METHODS),
    ("train", "config"): lambda: names(TRAINING),
}
FILES = {"FILE", "PATH", "file", "image", "run"}  # metavars, or names of arguments without one
FOLDERS = {"DIR", "RUN", "folder"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("shell", choices=SHELLS)


def run(args: argparse.Namespace, rest: list[str]) -> int:
    if rest:
        raise AtelierError(f"atelier completion takes one shell, and no {rest[0]!r}; see --help")
    import shtab

    print(shtab.complete(whole_parser(), shell=args.shell))
    return 0


def whole_parser() -> argparse.ArgumentParser:
    """Parser of all commands, whose values that have names are choices. It only describes them:
    commands take paths and class paths as well.
    """
    from experiments.cli import COMMANDS

    parser = argparse.ArgumentParser(prog="atelier")
    commands = parser.add_subparsers()
    for name, summary in COMMANDS.items():
        module = import_module(f"experiments.commands.{name.replace('-', '_')}")
        command = commands.add_parser(name, help=summary)
        if not getattr(module, "READS_ALL", False):
            module.add_arguments(command)
        _describe(command, name)
    return parser


def _describe(parser: argparse.ArgumentParser, command: str) -> None:
    """Add to each argument of a command, and of its own subcommands, what completes its value."""
    import shtab

    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for child in action.choices.values():
                _describe(child, command)
        elif choices := NAMES.get((command, action.dest)) or NAMES.get(("", action.dest)):
            action.choices = list(choices())
        elif action.choices:
            action.choices = list(action.choices)  # shtab takes a dict for subcommands
        elif (action.metavar or action.dest) in FILES:
            action.complete = shtab.FILE
        elif (action.metavar or action.dest) in FOLDERS:
            action.complete = shtab.DIRECTORY
