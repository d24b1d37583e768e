"""Several runs as one, so that a device that one run cannot fill has more to do at a time.

Every run keeps its picture, method, generator, learning rate and random numbers; what is shared are
the frozen networks, which look at all outputs at once, and the passes of stackable generators. Its
result is that of the run alone, within float tolerance; on a CPU, where one after another is the
faster, to the last bit.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from lightning import Callback, LightningModule, Trainer
from torch import Tensor, nn

from datamodules.task import StyleBatch
from lightning_modules.callbacks import RunFolder
from lightning_modules.stylization import Stylization, step


class Together(LightningModule):
    """Runs whose frozen networks are alike: all use the first one's.

    Args:
        runs: a method each.
        at_once: whether networks look at all runs' pictures in one call (by default: on a GPU).

    Attributes:
        losses: of the latest step, a run each.
    """

    def __init__(self, runs: Sequence[Stylization], at_once: bool | None = None) -> None:
        super().__init__()
        first, *others = runs
        for run in others:
            run.encoder, run.content_features = first.encoder, first.content_features
            run.style_features = run.style_features and first.style_features
        self.runs = nn.ModuleList(runs)
        self.at_once = at_once
        self.losses: list[dict[str, Tensor]] = []
        self.automatic_optimization = False  # on a CPU each run has its own way back

    def configure_optimizers(self) -> dict:
        for run in self.runs:
            run.trainer = self.trainer
        optimizer = self.runs[0].optimizer([run.parameter_group() for run in self.runs])
        rates = [run.relative_rate for run in self.runs]
        return {
            "optimizer": optimizer,
            "lr_scheduler": torch.optim.lr_scheduler.LambdaLR(optimizer, rates),
        }

    def training_step(self, batches: list[StyleBatch], batch_idx: int) -> dict[str, Tensor]:
        at_once = self.device.type != "cpu" if self.at_once is None else self.at_once
        runs, optimizer = list(self.runs), self.optimizers()
        optimizer.zero_grad()
        self.losses = []
        for part in [slice(None)] if at_once else [slice(k, k + 1) for k in range(len(runs))]:
            found = step(runs[part], batches[part])
            self.manual_backward(sum(losses["loss"] for losses in found))
            self.losses += [{name: loss.detach() for name, loss in one.items()} for one in found]
        optimizer.step()
        self.lr_schedulers().step()
        return {"total": torch.stack([losses["loss"] for losses in self.losses]).mean()}


class RunFolders(Callback):
    """A run folder for each of several runs, as if it were alone."""

    def __init__(self, folders: Sequence[RunFolder]) -> None:
        self.folders = folders

    def on_fit_start(self, trainer: Trainer, module: Together) -> None:
        for folder, run in zip(self.folders, module.runs, strict=True):
            folder.on_fit_start(trainer, run)

    def on_train_batch_end(self, trainer, module, outputs, batch, batch_idx) -> None:
        for folder, *own in zip(self.folders, module.runs, module.losses, batch, strict=True):
            folder.on_train_batch_end(trainer, *own, batch_idx)

    def on_fit_end(self, trainer: Trainer, module: Together) -> None:
        for folder, run in zip(self.folders, module.runs, strict=True):
            folder.on_fit_end(trainer, run)
            folder.together = len(self.folders)
            folder.seconds /= folder.together
