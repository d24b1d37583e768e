"""Stopwatch of an optimisation step: seconds by stage, from Lightning's and the method's reports.

Stages are exclusive: time that the encoder takes within the losses belongs to the encoder. On a GPU
steps are timed twice, first as a whole and then by stages with a wait for the device around every
stage, because waiting itself takes time.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

import torch
from lightning.pytorch.profilers import PassThroughProfiler
from torch import Tensor

from lightning_modules.steps.observer import Observer

STAGES = (
    "generator",
    "content_features",
    "patches",
    "encoder",
    "losses",  # the formulas, and the rest of training_step
    "backward",
    "optimizer",  # with zero_grad and the schedule
    "logging",  # log_dict, the run folder, the progress bar
    "rest",  # Lightning's loop
)
# Stages by the names of Lightning's actions, owner and hook.
ACTIONS = {
    ("Strategy", "training_step"): "losses",
    ("Strategy", "backward"): "backward",
    ("LightningModule", "optimizer_step"): "optimizer",
    ("LightningModule", "optimizer_zero_grad"): "optimizer",
    ("LightningModule", "lr_scheduler_step"): "optimizer",
    ("Callback", "on_train_batch_end"): "logging",
}


class Stopwatch(PassThroughProfiler):
    """Seconds by stage, without the time of stages nested in it; a profiler of Lightning's.

    Attributes:
        fine: wait for a GPU at every change of stage, not only around whole steps.
    """

    def __init__(self, device: torch.device) -> None:
        super().__init__()
        self.device, self.fine = device, False
        self._nested: list[str] = []

    def begin(self) -> None:
        """Begin a step."""
        self.seconds = dict.fromkeys(STAGES, 0.0)
        self._nested = ["rest"]
        self._mark = synchronized_time(self.device)

    def end(self) -> dict[str, float]:
        """End the step; returns its seconds by stage, which sum to the step's."""
        self._charge(wait=True)
        self._nested = []
        return self.seconds

    def start(self, action_name: str) -> None:
        if stage := _stage(action_name):
            self._enter(stage)

    def stop(self, action_name: str) -> None:
        if _stage(action_name):
            self._leave()

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Context whose time is charged to a stage."""
        self._enter(name)
        try:
            yield
        finally:
            self._leave()

    def _enter(self, stage: str) -> None:
        if self._nested:
            self._charge(wait=self.fine)
            self._nested.append(stage)

    def _leave(self) -> None:
        if self._nested:
            self._charge(wait=self.fine)
            self._nested.pop()

    def _charge(self, wait: bool) -> None:
        now = synchronized_time(self.device) if wait else time.perf_counter()
        self.seconds[self._nested[-1]] += now - self._mark
        self._mark = now


class StepObserver(Observer):
    """Observer that times stages and records where patches are cut.

    Attributes:
        places: boxes (N, 3) and corners (N, 4, 2) of the patches, in the order of cutting.
    """

    def __init__(self, watch: Stopwatch) -> None:
        self.watch = watch
        self.places: list[tuple[Tensor, Tensor]] = []

    def stage(self, name: str) -> AbstractContextManager[None]:
        return self.watch.stage(name)

    def patches(self, boxes: Tensor, corners: Tensor) -> None:
        self.places.append((boxes, corners))


def synchronized_time(device: torch.device) -> float:
    """Seconds of the clock once the device has finished its work."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter()


def _stage(action: str) -> str | None:
    match = re.fullmatch(r"\[(\w+)\].*\.(\w+)", action)
    return ACTIONS.get(match.groups()) if match else None
