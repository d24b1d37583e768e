"""Subject of the figures of a GPU: CLIPstyler on the papers' networks, untrained.

The environment has the settings, as tests/gpu/run.sh sets them: DEVICE (gpu or cpu), SIZE in
pixels, PATCHES per step and STEPS that are timed.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any

import torch

from experiments.profiling.counters import peak, reset_peak
from experiments.profiling.figures import device_name
from experiments.profiling.stopwatch import synchronized_time
from experiments.profiling.subject import Subject
from experiments.run.lightning_cli import AtelierCLI

ACCELERATOR = os.environ.get("DEVICE", "gpu")
DEVICE = torch.device("cpu") if ACCELERATOR == "cpu" else torch.device("cuda", 0)
SIZE, PATCHES, STEPS = (
    int(os.environ.get(name, default))
    for name, default in (("SIZE", 512), ("PATCHES", 64), ("STEPS", 20))
)
WARMUP = 5 if DEVICE.type == "cuda" else 1  # steps that are not timed
RUN = 10 * STEPS  # steps of a whole run


def build() -> AtelierCLI:
    """The method and its trainer, ready to fit."""
    settings = {
        "data.size": SIZE,
        "model.patches.count": PATCHES,
        "trainer.accelerator": ACCELERATOR,
    }
    return Subject("clipstyler", "paper", settings, random_weights=True).build()


def heading() -> dict[str, Any]:
    """Machine, settings and date, for the head of every figure."""
    return {
        "device": device_name(DEVICE),
        "torch": torch.__version__,
        "date": time.strftime("%Y-%m-%d"),
        "size": SIZE,
        "patches": PATCHES,
    }


def measured(work: Callable[[], Any]) -> dict[str, float]:
    """Seconds of a piece of work until the device has done it, and its peak memory in bytes."""
    reset_peak(DEVICE)
    start = synchronized_time(DEVICE)
    work()
    return {"seconds": synchronized_time(DEVICE) - start, "peak_bytes": peak(DEVICE)}


def write(figures: Mapping[str, Any]) -> None:
    """Print the figures as JSON, in place of those that stdout, a file, may hold already."""
    if sys.stdout.seekable():
        sys.stdout.seek(0)
        sys.stdout.truncate()
    print(json.dumps(heading() | dict(figures), indent=2), flush=True)
