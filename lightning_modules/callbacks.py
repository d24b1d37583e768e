"""Callbacks of a run: a progress bar, and the run folder's writer at the right moments."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from lightning import Callback, LightningModule, Trainer

from datamodules.recipes import files_of, recipe_text
from datamodules.run_folder import FULL, RunWriter, loaded
from datamodules.run_records import StopRecord
from datamodules.support.errors import DIVERGED, AtelierError, StoppedEarlyError
from datamodules.support.progress import progress_bar
from datamodules.task import StyleTask
from lightning_modules.steps.memory import paint_full

FLUSH_EVERY = 20  # steps between two writes of losses.csv: each waits for the device once
SHOW_EVERY = 5  # steps between two updates of the losses in the bar, for the same reason


class StepProgress(Callback):
    """A bar with the steps, the time left and the losses, on stderr: stdout is for results."""

    def on_train_start(self, trainer: Trainer, module: LightningModule) -> None:
        self.progress = progress_bar("{task.fields[losses]}", remaining=True)
        self.progress.disable = not trainer.is_global_zero
        self.progress.start()
        steps, done = trainer.fit_loop.max_steps, trainer.global_step
        self.bar = self.progress.add_task("", total=steps, completed=done, losses="")

    def on_train_batch_end(self, trainer, module, outputs, batch, batch_idx) -> None:
        changed = {}
        if trainer.global_step % SHOW_EVERY == 0:  # reading a loss waits for the device
            values = {name: float(value) for name, value in outputs.items() if name != "loss"}
            changed["losses"] = " ".join(f"{name} {value:.3g}" for name, value in values.items())
        self.progress.update(self.bar, completed=trainer.global_step, **changed)

    def on_train_end(self, trainer: Trainer, module: LightningModule) -> None:
        self.progress.stop()

    def on_exception(self, trainer: Trainer, module: LightningModule, exception) -> None:
        if hasattr(self, "progress"):
            self.progress.stop()


class WriteRun(Callback):
    """Writes the run folder while the run goes on: losses.csv and steps/ during the steps, the
    output after the last.

    Args:
        folder: path of the run folder; made if missing.
        name: of the run: method, picture, object and style; by default the folder's.
        task: the task of the run; None = that of the trainer's data, which are then written with
            the method's configuration as soon as the fit starts.
        config: the complete configuration as YAML; it alone reproduces the run.
        keep_every: steps between two intermediate pictures; 0 writes none.
        full: the same task at a larger size.
        frames: writes pictures from the run's styles to others, after its own.
        overwrite: whether a run without `task` may replace a finished one in the folder.

    Attributes:
        together: number of runs that are optimised jointly.
        keep_checkpoint: whether its checkpoint stays beside the result.
        on_output: called with the output (3, H, W) as soon as it is written, before the larger
            picture and the scores are made.
        stop_note: why the configuration makes another picture than a run that was ended early.
        seconds: of the optimisation, divided by `together`. full_seconds: of the larger picture.
        frame_seconds: of the frames.
    """

    def __init__(
        self,
        folder: Path | str,
        name: str = "",
        task: StyleTask | None = None,
        config: str = "",
        keep_every: int = 0,
        full: StyleTask | None = None,
        frames: Callable[[LightningModule, RunWriter], None] | None = None,
        overwrite: bool = False,
    ) -> None:
        self.folder = folder = Path(folder)
        self.name = name or folder.name
        self.task = task
        self._alone = task is None
        self.config = config
        self.keep_every = keep_every
        self.full = full
        self.frames = frames
        self.overwrite = overwrite
        self.writer = RunWriter(folder)
        self.together = 1
        self.keep_checkpoint = False
        self.stop_note = ""
        self.on_output: Callable[[torch.Tensor], None] = lambda output: None
        self.seconds = 0.0
        self.full_seconds = 0.0
        self.frame_seconds = 0.0
        self._before: list[dict[str, float]] = []  # losses of steps before a break
        self._losses: list[dict[str, torch.Tensor]] = []

    def write_task(self, resumed: bool = False) -> None:
        """Write what is fixed before the first step; AtelierError for an unwritable folder.

        resumed: the run goes on, and so keeps its intermediate pictures.
        """
        self.writer.write_task(self.task, self.config, resumed)

    def state_dict(self) -> dict[str, Any]:
        return {"course": self.course, "seconds": time.perf_counter() - self._start}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self._before, self.seconds = state_dict["course"], state_dict["seconds"]

    def on_fit_start(self, trainer: Trainer, module: LightningModule) -> None:
        if self._alone:
            self.writer.clear(self.overwrite)
            self._before, self._losses, self.seconds = [], [], 0.0
            data = trainer.datamodule
            self.task, self.full, self.config = data.task, data.full, module.configuration
            self.write_task()
        self._files = files_of(loaded(self.config))  # now: they may be gone at the end
        self._start = time.perf_counter() - self.seconds

    def on_train_batch_end(self, trainer, module, outputs, batch, batch_idx) -> None:
        self._losses.append({name: value.detach() for name, value in outputs.items()})
        step = len(self._before) + len(self._losses)
        if step % FLUSH_EVERY == 0 and not self.writer.finished:
            self.writer.write_losses(self.course)
        if self.keep_every and step % self.keep_every == 0:
            self.writer.write_step(step, module.stylize(batch)[0], self.task.alpha)

    def on_fit_end(self, trainer: Trainer, module: LightningModule) -> None:
        self.writer.discard()  # the result of fewer steps; the checkpoint is there
        self.writer.write_config(self.config)
        self.writer.recipe = self._recipe(trainer.max_steps - module.deviations.extra_step)
        self.writer.write_losses(self.course)
        output = module.stylize(self.task.batch().to(module.device))[0].cpu()
        self.seconds = time.perf_counter() - self._start
        stretch = bool(module.deviations.stretched_contrast)
        self.writer.write_output(output, self.task.alpha, stretch)
        self.on_output(output)
        self.writer.write_style(module.generator.final_styles())
        if self.full and module.generator.any_size:
            start = time.perf_counter()
            painted = paint_full(module, self.full, FULL)
            if painted is not None:
                self.writer.write_image(FULL, painted, self.full.alpha)
            self.full_seconds = time.perf_counter() - start
        if self.frames:
            start = time.perf_counter()
            self.frames(module, self.writer)
            self.frame_seconds = time.perf_counter() - start

    def _recipe(self, steps: int) -> str:
        """The recipe of the results, "" of a method that was made by hand.

        steps: of the trainer, by which a run of one's own may differ from its configuration.
        """
        if not (config := loaded(self.config)):
            return ""
        return recipe_text(config, self._files, steps if self._alone else None, self.stop_note)

    def write_stopped(self, exception: BaseException) -> None:
        """Write the losses so far, and note that the run did not finish, and why.

        A result of fewer steps stays as it is.
        """
        if self.writer.finished:
            return
        self.writer.write_losses(self.course)
        if isinstance(exception, StoppedEarlyError):
            stop = StopRecord(exception.step, exception.loss, exception.value, exception.limit)
            self.writer.write_stop(stop)
        else:
            self.writer.write_stopped(exception, steps=len(self._before) + len(self._losses))

    @property
    def last_losses(self) -> dict[str, float]:
        """Losses of the last step by name, {} without any; `total` is their weighted sum.

        Raises AtelierError if the optimisation diverged.
        """
        row = (self.course or [{}])[-1]
        if not all(map(math.isfinite, row.values())):
            raise AtelierError(DIVERGED)
        return row

    @property
    def course(self) -> list[dict[str, float]]:
        """Losses of all steps so far by name, `total` first."""
        return self._before + rows_of(self._losses)


def rows_of(losses: Sequence[Mapping[str, torch.Tensor]]) -> list[dict[str, float]]:
    """Losses of steps as numbers by name, `total` for `loss`; the device is waited for once."""
    if not losses:
        return []
    names = ["total" if name == "loss" else name for name in losses[0]]
    table = torch.stack([torch.stack(list(row.values())) for row in losses]).tolist()
    return [dict(zip(names, row, strict=True)) for row in table]
