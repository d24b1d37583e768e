"""The run folder: everything a run leaves behind, written whole or not at all."""

from __future__ import annotations

import csv
import io
import logging
import math
import time
from dataclasses import asdict
from pathlib import Path

import torch
from lightning import Callback, LightningModule, Trainer

from datamodules.images import enhance, save_png, to_picture
from datamodules.support.errors import AtelierError
from datamodules.support.files import write_json, write_text
from datamodules.task import StyleTask
from lightning_modules.steps.memory import available

log = logging.getLogger(__name__)

FLUSH_EVERY = 20  # steps between two writes of losses.csv: each waits for the device once
SHOW_EVERY = 5  # steps between two looks at the losses, for the same reason
INTERRUPTED, FAILED = "INTERRUPTED.txt", "FAILED.txt"
FULL = "output_full.png"
PAINTING = 800  # bytes a pixel that a generator needs to paint without gradients, about
STEPS = "steps"  # folder of the pictures on the way
# All that a run folder gains after the first step, but for those.
OUTCOMES = ("losses.csv", "output.png", "output_enhanced.png", FULL, INTERRUPTED, FAILED)


class StepProgress(Callback):
    """A bar with the steps, the time left and the losses, on stderr: stdout is for results."""

    def on_train_start(self, trainer: Trainer, module: LightningModule) -> None:
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            Progress,
            TextColumn,
            TimeRemainingColumn,
        )

        columns = (
            BarColumn(20),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[losses]}"),
        )
        self.progress = Progress(*columns, console=Console(stderr=True))
        self.progress.start()
        self.bar = self.progress.add_task("", total=trainer.fit_loop.max_steps, losses="")

    def on_train_batch_end(self, trainer, module, outputs, batch, batch_idx) -> None:
        shown = {}
        if trainer.global_step % SHOW_EVERY == 0:  # reading a loss waits for the device
            values = {name: float(value) for name, value in outputs.items() if name != "loss"}
            shown["losses"] = " ".join(f"{name} {value:.3g}" for name, value in values.items())
        self.progress.update(self.bar, completed=trainer.global_step, **shown)

    def on_train_end(self, trainer: Trainer, module: LightningModule) -> None:
        self.progress.stop()

    def on_exception(self, trainer: Trainer, module: LightningModule, exception) -> None:
        if hasattr(self, "progress"):
            self.progress.stop()


class RunFolder(Callback):
    """Writes config.yaml, parse.json, content.png and mask.png (for several regions mask-1.png, ...
    too) before the first step, losses.csv and steps/NUMBER.png on the way, output.png (raw) and
    output_enhanced.png (contrast 1.5) after the last; output_full.png, if a larger task is given,
    is the larger photo by the same generator.

    A run that stops early leaves INTERRUPTED.txt or FAILED.txt, which says at which step and why.

    Args:
        folder: where to write; made if missing.
        name: of the run: method, picture, object and style.
        task: the job that is run.
        config: the complete configuration as YAML; it alone reproduces the run.
        keep_every: steps between two pictures that are kept; 0 keeps none.
        full: the same job at a larger size.
    """

    def __init__(
        self,
        folder: Path,
        name: str,
        task: StyleTask,
        config: str,
        keep_every: int = 0,
        full: StyleTask | None = None,
    ) -> None:
        self.folder = folder
        self.name = name
        self.task = task
        self.config = config
        self.keep_every = keep_every
        self.full = full
        self.together = 1  # how many runs were optimised at once
        self.seconds = 0.0  # of the optimisation, shared out among them
        self.full_seconds = 0.0  # of painting the larger picture
        self._losses: list[dict[str, torch.Tensor]] = []

    def write_task(self) -> None:
        """What is known before the first step; an unwritable folder is refused here, at no cost."""
        write_text(self.folder / "config.yaml", self.config)
        note = {"parser_note": self.task.parse_note} if self.task.parse_note else {}
        targets = [asdict(target) | note for target in self.task.targets]
        write_json(self.folder / "parse.json", targets)
        save_png(to_picture(self.task.content), self.folder / "content.png")
        save_png(to_picture(self.task.stylized), self.folder / "mask.png")
        for earlier in [*self.folder.glob("mask-*.png"), *self.folder.glob(f"{STEPS}/*.png")]:
            earlier.unlink()
        if len(self.task.masks) > 1:
            for number, mask in enumerate(self.task.masks, start=1):
                save_png(to_picture(mask), self.folder / f"mask-{number}.png")

    def on_fit_start(self, trainer: Trainer, module: LightningModule) -> None:
        self._start = time.perf_counter()

    def on_train_batch_end(self, trainer, module, outputs, batch, batch_idx) -> None:
        self._losses.append({name: value.detach() for name, value in outputs.items()})
        step = len(self._losses)
        if step % FLUSH_EVERY == 0:
            self._write_losses()
        if self.keep_every and step % self.keep_every == 0:
            save_png(to_picture(module.stylize(batch)[0]), self.folder / STEPS / f"{step:06}.png")

    def on_fit_end(self, trainer: Trainer, module: LightningModule) -> None:
        self._write_losses()
        output = to_picture(module.stylize(self.task.batch().to(module.device))[0])
        self.seconds = time.perf_counter() - self._start
        save_png(output, self.folder / "output.png")
        save_png(enhance(output), self.folder / "output_enhanced.png")
        if self.full and module.generator.any_size:
            start = time.perf_counter()
            self._paint_full(module)
            self.full_seconds = time.perf_counter() - start

    def _paint_full(self, module: LightningModule) -> None:
        """The run is whole without it: where memory is short it is left out, and that is said."""
        height, width = self.full.content.shape[1:]
        needed = PAINTING * height * width
        try:
            room = available(module.device, module.memory)
            if module.device.type == "cpu" and needed > room:  # a GPU says so itself
                raise torch.OutOfMemoryError
            painted = module.stylize(self.full.batch().to(module.device))[0]
        except torch.OutOfMemoryError:
            log.warning(
                "Painting the picture at %dx%d takes about %.1f GB, and less is free: "
                "output_full.png is left out; give a smaller --full-size",
                *(width, height, needed / 1e9),
            )
            return
        save_png(to_picture(painted), self.folder / FULL)

    def write_stopped(self, exception: BaseException) -> None:
        """Keep the losses so far and say in the folder that the run did not finish, and why."""
        self._write_losses()
        interrupted = isinstance(exception, KeyboardInterrupt)
        reason = "interrupted" if interrupted else f"stopped by {type(exception).__name__}"
        write_text(
            self.folder / (INTERRUPTED if interrupted else FAILED),
            f"This run was {reason} after {len(self._losses)} steps. {exception}\n"
            "It has no result. Start it again with: atelier stylize --config config.yaml\n",
        )

    @property
    def last_losses(self) -> dict[str, float]:
        """The losses of the last step, by name; `total` is their weighted sum.

        Raises AtelierError if the optimisation diverged.
        """
        row = self.course[-1]
        if not all(map(math.isfinite, row.values())):
            raise AtelierError("The losses are not finite; give a lower --model.optimizer.lr")
        return row

    @property
    def course(self) -> list[dict[str, float]]:
        """The losses of all steps so far, by name, `total` first."""
        if not self._losses:
            return []
        names = ["total" if name == "loss" else name for name in self._losses[0]]
        # One transfer from the device for all steps.
        table = torch.stack([torch.stack(list(row.values())) for row in self._losses]).tolist()
        return [dict(zip(names, row, strict=True)) for row in table]

    def _write_losses(self) -> None:
        if not (course := self.course):
            return
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(["step", *course[0]])
        writer.writerows([step, *row.values()] for step, row in enumerate(course))
        write_text(self.folder / "losses.csv", text.getvalue())
