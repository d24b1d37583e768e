"""Runs per hour by the number of runs that are optimised jointly: python -m tests.gpu.together.

The steps after the first few are timed in Lightning's loop, with a run folder for each run; a run
has as many steps as at paper settings.
"""

from __future__ import annotations

import tempfile
from copy import deepcopy
from pathlib import Path

import torch
from lightning import Callback

from datamodules.stylization import TogetherDataModule
from experiments.profiling.counters import peak, reset_peak
from experiments.profiling.stopwatch import synchronized_time
from experiments.run.lightning_cli import AtelierCLI
from lightning_modules.callbacks import WriteRun
from lightning_modules.steps.joint import JointStylization, RunFolders
from lightning_modules.stylization import Stylization
from tests.gpu.subject import DEVICE, STEPS, WARMUP, build, write

COUNTS = (1, 2, 4, 8, 16)
PAPER_STEPS = 200


class Timer(Callback):
    """Timer of the steps after the first WARMUP."""

    def on_train_batch_start(self, trainer, module, batch, batch_idx) -> None:
        if batch_idx == WARMUP:
            self.start = synchronized_time(DEVICE)

    def on_train_batch_end(self, trainer, module, outputs, batch, batch_idx) -> None:
        if batch_idx == WARMUP + STEPS - 1:
            self.seconds = (synchronized_time(DEVICE) - self.start) / STEPS


def copy(method: Stylization, seed: int) -> Stylization:
    """A method of its own generator and random numbers, with the same frozen networks."""
    frozen = (method.encoder, method.content_features, method.style_features)
    twin = deepcopy(method, {id(network): network for network in frozen})
    twin.seed = seed
    return twin


def step_of(cli: AtelierCLI, count: int) -> dict[str, float]:
    """Seconds of a joint step of so many runs, its peak memory, and runs per hour."""
    runs, timer = [copy(cli.model, seed) for seed in range(count)], Timer()
    data = TogetherDataModule([cli.datamodule] * count)
    reset_peak(DEVICE)
    with tempfile.TemporaryDirectory() as path:
        folders = [WriteRun(Path(path, str(k)), "", cli.datamodule.task, "") for k in range(count)]
        trainer = cli.instantiate_trainer(
            max_steps=WARMUP + STEPS, callbacks=[RunFolders(folders), timer]
        )
        trainer.fit(JointStylization(runs, at_once=True), datamodule=data)
    return {
        "seconds": timer.seconds,
        "peak_bytes": peak(DEVICE),
        "runs_per_hour": 3600 * count / (PAPER_STEPS * timer.seconds),
    }


def main() -> None:
    cli, figures = build(), {}
    for count in COUNTS:
        try:
            figures[str(count)] = step_of(cli, count)
        except torch.OutOfMemoryError as error:
            figures[str(count)] = {"error": str(error).split(". ")[0]}
        write({"runs_together": figures})


if __name__ == "__main__":
    main()
