"""A finished run and a finished sweep, made once per session, for tests that only read them.

Who changes one copies it first.
"""

import json
import os
from pathlib import Path
from typing import NamedTuple

import pytest
from filelock import FileLock

from tests.support.cli import Result, run
from tests.support.sweeps import write_sweep

GRID = {"model.tau": [0.3, 0.7], "seed": [0, 1]}
OPTIONS = ["--serial", "--threads=1", "--out=sweep", "--no-wandb", "--metrics=change,background"]
SETTINGS = ["--size", "96", "--brush", "0.4", "--model.patches.count", "6", "--no-wandb"]


class Finished(NamedTuple):
    """A folder, and the command that has filled it."""

    folder: Path
    result: Result


@pytest.fixture(scope="session")
def finished_run(tmp_path_factory):
    """Instruction to result.json with every real part: six steps on a picture of a cat."""
    words = ["stylize", "skimage:chelsea", "--steps", 6, "Turn the cat into a mosaic", "--seed", 3]
    return _once(tmp_path_factory, "run", lambda at: run(*words, "--out=run", *SETTINGS, cwd=at))


@pytest.fixture(scope="session")
def finished_sweep(tmp_path_factory, mask):
    """Four runs of two steps, at two thresholds with two seeds, made one after another."""

    def make(at):
        path = write_sweep(at, mask, GRID)
        return run("sweep", path, *OPTIONS, cwd=at)

    return _once(tmp_path_factory, "sweep", make)


def _once(factory, name, make):
    """The folder `name` as `make(place)` leaves it, made once for all workers of pytest-xdist."""
    place = factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        place = place.parent
    record = place / f"{name}.json"
    with FileLock(place / f"{name}.lock"):
        if not record.exists():
            record.write_text(json.dumps(make(place)))
    return Finished(place / name, Result(*json.loads(record.read_text())))
