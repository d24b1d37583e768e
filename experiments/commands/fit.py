"""Run a configuration through Lightning's own command line (LightningCLI).

Files of Atelier's own configs/ are found from any folder, and the classes that a file of yours
names, beside it.

  atelier fit --config configs/methods/clipstyler.yaml --config configs/models/paper.yaml \\
      --data.image boat.jpg --data.style fire
"""

from __future__ import annotations

import argparse
import time

from experiments.run.offline import say_sync
from experiments.run.watch import Speaker
from experiments.run.words import settled_words

READS_ALL = True  # every word is LightningCLI's, --help too


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add nothing: every option after `fit` is LightningCLI's."""


def run(args: argparse.Namespace, rest: list[str]) -> int:
    started = time.perf_counter()
    rest = settled_words(rest)
    from experiments.run.lightning_cli import AtelierCLI

    say_sync(AtelierCLI.from_arguments(rest, started).run(Speaker()).folder)
    return 0
