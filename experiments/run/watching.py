"""Reports of a run to its watch, which may end it after any step."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

from lightning import Callback, LightningModule, Trainer
from PIL import Image
from torch import Tensor

from datamodules.images import to_picture, with_alpha
from experiments.run.watch import Progress, Watch
from lightning_modules.callbacks import WriteRun, rows_of


class Report(Callback):
    """Calls `Watch.on_progress`; between two calls nothing is painted and no device is waited for.

    It comes before the checkpoints, which are written after the last step, whoever says that it is.

    Args:
        watch: is asked after every step whether it is the last one.
        run: the writer of the run.
        on_stop: called with the steps made when the watch ends the run.
    """

    def __init__(self, watch: Watch, run: WriteRun, on_stop: Callable[[int], None]) -> None:
        self.watch, self.run, self.on_stop = watch, run, on_stop
        self._losses: list[dict[str, Tensor]] = []
        self._last = -math.inf  # time of the last report
        self._first: tuple[int, float] | None = None  # step and time after which steps are timed

    def on_fit_start(self, trainer: Trainer, module: LightningModule) -> None:
        if not trainer.max_steps and self.watch.every < math.inf:
            self.run.on_output = self._show

    def _show(self, output: Tensor) -> None:
        """Report the picture (3, H, W) of a method in one pass."""
        self.watch.on_progress(Progress(0, 0, [], self._picture(output), None))

    def _picture(self, output: Tensor) -> Image.Image:
        return to_picture(with_alpha(output.cpu(), self.run.task.alpha))

    def on_train_batch_end(self, trainer, module, outputs, batch, batch_idx) -> None:
        step, now = trainer.global_step, time.monotonic()
        ends = step == trainer.max_steps
        if not ends and step > module.deviations.extra_step and self.watch.stop_asked():
            trainer.should_stop = ends = True
            self.on_stop(step)
        if self.watch.every == math.inf:
            return
        self._losses.append({name: value.detach() for name, value in outputs.items()})
        self._first = self._first or (step, now)
        if ends or now - self._last >= self.watch.every:
            self.watch.on_progress(self._progress(trainer, module, batch, now))
            self._losses, self._last = [], time.monotonic()

    def _progress(self, trainer: Trainer, module: LightningModule, batch, now: float) -> Progress:
        step, (first, start) = trainer.global_step, self._first
        picture = self._picture(module.stylize(batch)[0])
        steps = step if trainer.should_stop else trainer.max_steps
        left = (steps - step) * (now - start) / (step - first) if step > first else None
        return Progress(step, steps, rows_of(self._losses), picture, left)
