"""Check a YAML file without running it: a method, a configuration, a sweep, a training, a set.

Everything that can be known before the first step is checked as the run itself does: names, classes
and their settings, values, pictures, weights. The exit code is 0 if the file is sound, 2 if not.

  atelier validate my_method.yaml                a method, on --models embedded
  atelier validate runs/NAME/config.yaml         a whole configuration
  atelier validate my_sweep.yaml                 all runs of a sweep
"""

from __future__ import annotations

import argparse
from pathlib import Path

from datamodules.support.errors import AtelierError
from experiments.run.configuration import EMBEDDED
from experiments.run.options import add_options
from experiments.run.validation import KINDS, kind_of, validate


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("file", help="a YAML file")
    add("--kind", choices=KINDS, help="what the file is, where that is in doubt")
    add_options(parser, "--models")
    parser.set_defaults(models=EMBEDDED)


def run(args: argparse.Namespace, rest: list[str]) -> int:
    if rest:
        raise AtelierError(f"atelier validate takes no {rest[0]!r}; see --help")
    kind = args.kind or kind_of(Path(args.file))
    print(f"{args.file}: {kind}, {validate(Path(args.file), kind, args.models)}")
    return 0
