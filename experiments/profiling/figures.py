"""Figures of a profile: what a step of a method costs, and where its time goes."""

from __future__ import annotations

import platform
import statistics
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from datamodules.models.published import UNTRAINED
from datamodules.support.errors import AtelierError
from experiments.profiling.counters import matrix_rates
from experiments.profiling.meter import Meter, accepting, rejecting
from experiments.profiling.published_loop import PublishedLoop
from experiments.profiling.stopwatch import STAGES, StepObserver, Stopwatch
from experiments.profiling.subject import Subject
from experiments.run.lightning_cli import AtelierCLI
from lightning_modules.callbacks import StepProgress, WriteRun


@dataclass(frozen=True)
class Plan:
    """Steps of a profile.

    steps: that are timed, at least 1. warmup: steps before them, at least 2.
    accept: share of the patches that threshold rejection accepts, in [0, 1].
    published: whether the published loop is measured, too.
    """

    steps: int = 10
    warmup: int = 2
    accept: float = 1.0
    published: bool = False

    def __post_init__(self) -> None:
        if self.steps < 1 or self.warmup < 2 or not 0 <= self.accept <= 1:
            raise AtelierError(
                f"--steps {self.steps} must be 1 or more, --warmup {self.warmup} 2 or more, and "
                f"--accept {self.accept:g} in [0, 1]"
            )


def profile(subject: Subject, plan: Plan) -> dict[str, Any]:
    """Medians of the timed steps in seconds, bytes and FLOPs of a step, and what was measured."""
    if plan.published and subject.method != "clipstyler":
        raise AtelierError(
            f"The published loop is CLIPstyler's and cannot be compared with {subject.method}; "
            "choose --method clipstyler, or leave --against out"
        )
    cli = subject.build()
    rates = matrix_rates(cli.trainer.strategy.root_device)
    meter = _measure(cli, plan)
    return {
        **_description(cli, plan),
        **_figures(meter, rates),
        **(_comparison(meter) if meter.published else {}),
    }


def _measure(cli: AtelierCLI, plan: Plan) -> Meter:
    method, task, published = cli.model, cli.datamodule.task, None
    device = cli.trainer.strategy.root_device
    if plan.published:
        batch = task.batch().to(device)
        published = PublishedLoop(method.to(device), batch, accepting(plan.accept))
    method.observer = StepObserver(Stopwatch(device))
    method.reject = rejecting(plan.accept)
    meter = Meter(method.observer, plan.warmup, plan.steps, published)
    with tempfile.TemporaryDirectory() as path:
        folder = WriteRun(Path(path), "", task, "", cli.config["run"]["keep_every"])
        trainer = cli.instantiate_trainer(
            max_steps=len(meter.kinds),
            profiler=meter.watch,
            callbacks=[StepProgress(), folder, meter],
        )
        with _plain_errors():
            trainer.fit(method, datamodule=cli.datamodule)
    return meter


@contextmanager
def _plain_errors() -> Iterator[None]:
    """Replace the exceptions that end a run early by this program's own."""
    try:
        yield
    except SystemExit as error:  # Lightning's answer to Ctrl-C
        raise KeyboardInterrupt from error
    except torch.OutOfMemoryError as error:
        raise AtelierError(
            "The device's memory is exhausted; give a smaller --size, fewer --patches or "
            "--model.chunk 16"
        ) from error


def _description(cli: AtelierCLI, plan: Plan) -> dict[str, Any]:
    """The subject of the measurement, and the machine."""
    method, task = cli.model, cli.datamodule.task
    return {
        "method": type(method).__name__,
        "generator": type(method.generator).__name__,
        "encoder": method.encoder.identity,
        "content_features": method.content_features.identity,
        "untrained": UNTRAINED in str(cli.config["model"]),
        "size": task.content.shape[-1],
        "patches": method.patches.count if method.patches else 0,
        "patch_sizes": method.sizes(task.batch()) if method.patches else [],
        "accept": plan.accept,
        "device": device_name(cli.trainer.strategy.root_device),
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
        "date": time.strftime("%Y-%m-%d"),
        "timed_steps": plan.steps,
    }


def device_name(device: torch.device) -> str:
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    try:
        names = [
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
            if line.startswith("model name")
        ]
        return f"{names[0]}, {len(names)} cores"
    except (OSError, IndexError):
        return platform.processor() or platform.machine()


def _figures(meter: Meter, rates: Mapping[str, float]) -> dict[str, Any]:
    """Medians over the timed steps; FLOPs of one step."""
    by_stage = meter.ours.get("fine") or meter.ours["whole"]
    seconds = statistics.median(sum(step.values()) for step in meter.ours["whole"])
    flops = meter.flops["ours"]
    return {
        "seconds": seconds,
        "stages": {name: statistics.median(s[name] for s in by_stage) for name in STAGES},
        "steps_per_second": 1 / seconds,
        "peak_bytes": meter.peaks["ours"],
        "flops": flops,
        "matrix_rates": dict(rates),
        "shares": {kind: flops / seconds / rate for kind, rate in rates.items()},
    }


def _comparison(meter: Meter) -> dict[str, Any]:
    """The published loop's figures, and the ratio of the medians."""
    ours = statistics.median(sum(step.values()) for step in meter.ours["whole"])
    theirs = statistics.median(meter.theirs)
    first = meter.first
    return {
        "naive": {
            "seconds": theirs,
            "peak_bytes": meter.peaks["naive"],
            "flops": meter.flops["naive"],
        },
        "ratio": theirs / ours,
        "first_losses": first,
        "loss_differences": {
            name: abs(first["ours"][name] - value) / (abs(value) or 1.0)
            for name, value in first["naive"].items()
        },
    }
