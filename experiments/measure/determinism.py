"""Equality of runs with one seed: python -m experiments.measure.determinism.

A short run of CLIPstyler on the embedded models, repeated under other conditions: again, from its
config.yaml, with another number of threads, with the encoder's views in chunks, and jointly with a
second run. Prints the table of docs/performance.md: whether losses and pictures are equal to the
last byte, and the largest relative difference of the total loss.
"""

from __future__ import annotations

import argparse
import csv
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import yaml

from datamodules.run_folder import LOSSES, OUTPUT, RunFolder

STEPS, SIZE = 10, 128
PLAIN = ("--method", "clipstyler", "--model.generator", "stylenet", "--seed", "1")
LENGTH = ("--size", str(SIZE), "--steps", str(STEPS))
STYLIZE = ("stylize", "skimage:chelsea", "--style", "fire", *PLAIN, *LENGTH, "--no-wandb")


def call(arguments: tuple[str, ...], threads: int) -> None:
    """Call Atelier in a process of its own, with so many threads."""
    command = [sys.executable, "-m", "experiments.cli", *arguments]
    env = os.environ | {"OMP_NUM_THREADS": str(threads)}
    subprocess.run(command, check=True, env=env, stdout=subprocess.DEVNULL)


def jointly(folder: Path) -> Path:
    """Run folder of the first of two runs that are optimised jointly."""
    sweep = {
        "title": "Determinism",
        "method": "clipstyler",
        "models": "embedded",
        "fixed": {
            "image": "skimage:chelsea",
            "style": "fire",
            "model.generator": "stylenet",
            "size": SIZE,
            "steps": STEPS,
        },
        "grid": {"seed": [1, 2]},
    }
    folder.mkdir()
    (folder / "two.yaml").write_text(yaml.safe_dump(sweep), encoding="utf-8")
    options = ("--serial", "--runs-per-device", "2", "--no-evaluate", "--no-wandb")
    call(("sweep", str(folder / "two.yaml"), *options, "--out", str(folder / "two")), threads=2)
    runs = [RunFolder(path.parent) for path in sorted(folder.rglob(LOSSES))]
    (first,) = [run.path for run in runs if run.result.seed == 1]
    return first


def totals(folder: Path) -> list[float]:
    """Total loss of each step."""
    with (folder / LOSSES).open(newline="") as file:
        return [float(row["total"]) for row in csv.DictReader(file)]


def row(name: str, first: Path, second: Path) -> str:
    """Row of the table for two run folders."""
    equal = [
        (first / file).read_bytes() == (second / file).read_bytes() for file in (LOSSES, OUTPUT)
    ]
    apart = [abs(a / b - 1) for a, b in zip(totals(first), totals(second), strict=True)]
    words = ["the same bytes" if same else "differ" for same in equal]
    return f"| {name} | {' | '.join(words)} | {apart[0]:.0e}, {max(apart):.0e} |"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        root = Path(temporary)
        call((*STYLIZE, "--out", str(root / "first")), threads=2)
        call((*STYLIZE, "--out", str(root / "again")), threads=2)
        config = ("stylize", "--config", str(root / "first" / "config.yaml"), "--no-wandb")
        call((*config, "--out", str(root / "config")), threads=2)
        call((*STYLIZE, "--out", str(root / "thread")), threads=1)
        call((*STYLIZE, "--model.chunk", "8", "--out", str(root / "chunk")), threads=2)
        others = {
            "the same command again": root / "again",
            "from its config.yaml": root / "config",
            "jointly with another run (`--runs-per-device 2`)": jointly(root / "joint"),
            "one thread instead of two": root / "thread",
            "the encoder's views 8 at a time (`--model.chunk 8`)": root / "chunk",
        }
        print(f"| compared with a run of {STEPS} steps | losses | picture | total loss apart |")
        print("|---|---|---|---|")
        for name, other in others.items():
            print(row(name, root / "first", other))


if __name__ == "__main__":
    main()
