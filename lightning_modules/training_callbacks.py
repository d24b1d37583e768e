"""Callbacks of a training: losses, checkpoints, a stop between two steps, and pictures."""

from __future__ import annotations

import csv
import io
import logging
import math
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from lightning import Callback, Trainer
from torch import Tensor

from datamodules.photos import PhotoBatch
from datamodules.run_folder import LOSSES
from datamodules.support.errors import AtelierError
from datamodules.support.files import write_text
from lightning_modules.training import Training

log = logging.getLogger(__name__)

FLUSH_EVERY = 20  # steps between two writes of losses.csv: each waits for all devices
AGREE_EVERY = 10  # steps between two questions to all processes whether one is to stop
STOPPING = (signal.SIGINT, signal.SIGTERM)


class WriteLosses(Callback):
    """One row of losses.csv per step, means over all devices; the same rows for W&B.

    Args:
        folder: of the training. A training that goes on keeps the rows of its earlier steps.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / LOSSES
        self.names: list[str] = []
        self.parts: list[Tensor] = []  # losses of the batches of a step
        self.rows: list[Tensor] = []  # losses of steps that are not written yet

    def on_train_start(self, trainer: Trainer, module: Training) -> None:
        self.step = trainer.global_step
        if trainer.is_global_zero:
            lines = self.path.read_text("utf-8").splitlines() if self.path.exists() else []
            write_text(self.path, "".join(f"{line}\n" for line in lines[: self.step + 1]))

    def on_train_batch_end(
        self, trainer: Trainer, module: Training, outputs: dict[str, Tensor], *_: Any
    ) -> None:
        self.names = ["total" if name == "loss" else name for name in outputs]
        self.parts.append(torch.stack([value.detach() for value in outputs.values()]))
        if trainer.global_step == self.step + len(self.rows):
            return  # the next batch belongs to the same step
        self.rows.append(torch.stack(self.parts).mean(0))
        self.parts = []
        if len(self.rows) == FLUSH_EVERY:
            self.flush(trainer)

    def on_save_checkpoint(self, trainer: Trainer, module: Training, checkpoint: dict) -> None:
        self.flush(trainer)

    def on_train_end(self, trainer: Trainer, module: Training) -> None:
        self.flush(trainer)

    def flush(self, trainer: Trainer) -> None:
        """Write all rows; AtelierError if a loss is not finite."""
        if not self.rows:
            return
        means = trainer.strategy.reduce(torch.stack(self.rows), reduce_op="mean").tolist()
        first, self.step, self.rows = self.step, self.step + len(means), []
        if trainer.is_global_zero:
            self._append(means, first)
            for step, row in enumerate(means, first):
                if (step + 1) % trainer.log_every_n_steps == 0:
                    for logger in trainer.loggers:
                        logger.log_metrics(dict(zip(self.names, row, strict=True)), step)
        for step, row in enumerate(means, first):
            if not all(map(math.isfinite, row)):
                raise AtelierError(
                    f"The losses of step {step} are not finite; give a lower --model.optimizer.lr, "
                    "and go on from the last checkpoint with the same command"
                )

    def _append(self, rows: list[list[float]], first: int) -> None:
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        if not self.path.stat().st_size:
            writer.writerow(["step", *self.names])
        writer.writerows([step, *row] for step, row in enumerate(rows, first))
        with self.path.open("a", encoding="utf-8") as stream:
            stream.write(text.getvalue())


class Checkpoints(Callback):
    """Everything that is needed to go on: every so many steps, at the end, and when it is stopped.

    Ctrl-C and SIGTERM stop the training after the current step, on all devices after the same one;
    a second time at once. An error leaves a checkpoint of the last step where one process trains.

    Args:
        path: of the checkpoint; a later one takes the place of an earlier one.
        every: steps from one to the next.
    """

    def __init__(self, path: Path, every: int) -> None:
        self.path, self.every = path, every
        self.stop = False
        self.saved = self.step = -1
        self.handlers: dict[int, Any] = {}

    def on_train_start(self, trainer: Trainer, module: Training) -> None:
        self.saved = self.step = trainer.global_step
        if threading.current_thread() is threading.main_thread():  # no other gets signals
            self.handlers = {number: signal.signal(number, self._ask) for number in STOPPING}

    def _ask(self, number: int, frame: Any) -> None:
        if self.stop:
            raise KeyboardInterrupt
        self.stop = True
        print("stopping after this step", file=sys.stderr)

    def on_train_batch_end(self, trainer: Trainer, *_: Any) -> None:
        step = trainer.global_step
        if step == self.step:
            return  # within a step
        self.step = step
        stop = self._agreed(trainer)
        if stop or step % self.every == 0 or step == trainer.max_steps:
            self._save(trainer)
        if stop:
            raise KeyboardInterrupt

    def _agreed(self, trainer: Trainer) -> bool:
        """Whether all processes stop now, because one is to stop."""
        if trainer.world_size == 1:
            return self.stop
        due = self.step % AGREE_EVERY == 0
        return due and trainer.strategy.reduce_boolean_decision(self.stop, all=False)

    def _save(self, trainer: Trainer) -> None:
        trainer.save_checkpoint(self.path)
        self.saved = self.step

    def on_train_end(self, trainer: Trainer, module: Training) -> None:
        self._restore_handlers()

    def on_exception(self, trainer: Trainer, module: Training, exception: BaseException) -> None:
        own = isinstance(exception, AtelierError)  # of losses, whose weights are of no use
        if trainer.world_size == 1 and self.saved < self.step and not own:
            try:
                self._save(trainer)
            except Exception as error:
                log.warning("No checkpoint of step %d (%s)", self.step, error)
        self._restore_handlers()

    def _restore_handlers(self) -> None:
        for number, handler in self.handlers.items():
            signal.signal(number, handler)
        self.handlers = {}


class Preview(Callback):
    """A few photos in a few styles, painted every so many steps.

    Args:
        every: steps from one to the next; 0 = never.
        photos, styles: how many of each.
        show: takes the trainer, the step, the photos (N, 3, S, S), the blends, and for each of
            these the painted photos (N, 3, S, S).
    """

    def __init__(
        self,
        every: int,
        show: Callable[[Trainer, int, Tensor, list, list[Tensor]], None],
        photos: int = 4,
        styles: int = 6,
    ) -> None:
        self.every, self.show, self.photos, self.styles = every, show, photos, styles
        self.step = -1

    def on_train_start(self, trainer: Trainer, module: Training) -> None:
        self.step = trainer.global_step
        if self.every and trainer.is_global_zero:
            contents, self.blends = trainer.datamodule.preview(self.photos, self.styles)
            self.contents = contents.to(module.device)

    def on_train_batch_end(
        self, trainer: Trainer, module: Training, outputs: Any, batch: PhotoBatch, batch_idx: int
    ) -> None:
        step = trainer.global_step
        if step == self.step or not self.every or not trainer.is_global_zero:
            return
        self.step = step
        if step % self.every == 0 or step == trainer.max_steps:
            with torch.no_grad():
                styles = module.generator.styles(self.blends).split(1)
                painted = [module.generator.paint(self.contents, style) for style in styles]
            self.show(trainer, step, self.contents, self.blends, painted)
