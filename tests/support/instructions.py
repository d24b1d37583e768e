"""Helpers of the tests of parsing."""

from pathlib import Path

import datamodules

BENCHMARKS = Path(datamodules.__file__).parent / "benchmarks"


SINGLE = {
    "instructions": 100,
    "instructions_aside": 40,
    "instructions_dev": 50,
    "instructions_hard": 73,
    "instructions_wild": 142,
    "instructions_fresh": 120,
}
