"""Joint optimisation of several runs, to fill a device that one run cannot fill.

Every run keeps its picture, method, generator, optimizer and random numbers. The frozen networks
are shared and process the outputs of all runs in one call each; stackable generators paint in one
pass. The result of a run equals that of the run alone within float tolerance. On a CPU, where one
after another is faster, it is equal to the last bit.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from lightning import Callback, LightningModule, Trainer
from torch import Tensor, nn
from torch.optim import Optimizer

from datamodules.task import StyleBatch
from lightning_modules.callbacks import WriteRun
from lightning_modules.generators.base import paint
from lightning_modules.stylization import Features, Stylization


def joint_step(
    runs: Sequence[Stylization], batches: Sequence[StyleBatch]
) -> list[dict[str, Tensor]]:
    """Losses of each run's next step by name, as `Stylization.step`, with the first's networks."""
    first = runs[0]
    painted = paint([run.generator for run in runs], [batch.content for batch in batches])
    outputs = [run.blending.blend(*own) for run, *own in zip(runs, painted, batches, strict=True)]
    views = [run.views(*own) for run, *own in zip(runs, outputs, batches, strict=True)]
    embeddings = first.viewer.embed(torch.cat(views)).split([len(part) for part in views])
    maps = first.shared.maps(outputs, first.step_count)
    features = map(Features, embeddings, maps)
    return [run.total(*own) for run, *own in zip(runs, outputs, features, batches, strict=True)]


class JointStylization(LightningModule):
    """Several runs as one module; all use the frozen networks of the first.

    Args:
        runs: one method per run, alike in `shared_settings`.
        at_once: process all runs in one call of each network; None: on a GPU only.

    Attributes:
        losses: of the latest step, one dictionary per run.
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
        self.automatic_optimization = False  # on a CPU each run has its own backward pass

    @torch.no_grad()
    def on_fit_start(self) -> None:
        if not self.trainer.max_steps:  # networks in one pass
            return
        data = self.trainer.datamodule
        batches = next(iter(data.train_dataloader()))
        batches = data.transfer_batch_to_device(batches, self.device, 0)
        for run, batch in zip(self.runs, batches, strict=True):
            run.prepare(batch)

    def configure_optimizers(self) -> Optimizer:
        settings = []
        for run in self.runs:
            run.trainer = self.trainer
            settings.append(run.configure_optimizers())
        self.schedules = [one["lr_scheduler"]["scheduler"] for one in settings]
        return JointOptimizer([one["optimizer"] for one in settings])

    def training_step(self, batches: list[StyleBatch], batch_idx: int) -> dict[str, Tensor]:
        at_once = self.device.type != "cpu" if self.at_once is None else self.at_once
        runs, optimizer = list(self.runs), self.optimizers()
        optimizer.zero_grad()
        self.losses = []
        for part in [slice(None)] if at_once else [slice(k, k + 1) for k in range(len(runs))]:
            losses = joint_step(runs[part], batches[part])
            self.manual_backward(sum(one["loss"] for one in losses))
            self.losses += [{name: loss.detach() for name, loss in one.items()} for one in losses]
        optimizer.step()
        for schedule in self.schedules:
            schedule.step()
        return {"total": torch.stack([losses["loss"] for losses in self.losses]).mean()}


class JointOptimizer(Optimizer):
    """Several optimizers as one: a step is one step of each."""

    def __init__(self, optimizers: Sequence[Optimizer]) -> None:
        super().__init__([group for one in optimizers for group in one.param_groups], {})
        self.optimizers = optimizers

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        loss = closure() if closure else None
        for optimizer in self.optimizers:
            optimizer.step()
        return loss


class RunFolders(Callback):
    """A run folder for each of several runs that are optimised jointly."""

    def __init__(self, folders: Sequence[WriteRun]) -> None:
        self.folders = folders

    def on_fit_start(self, trainer: Trainer, module: JointStylization) -> None:
        for folder, run in zip(self.folders, module.runs, strict=True):
            folder.on_fit_start(trainer, run)

    def on_train_batch_end(self, trainer, module, outputs, batch, batch_idx) -> None:
        for folder, *own in zip(self.folders, module.runs, module.losses, batch, strict=True):
            folder.on_train_batch_end(trainer, *own, batch_idx)

    def on_fit_end(self, trainer: Trainer, module: JointStylization) -> None:
        for folder, run in zip(self.folders, module.runs, strict=True):
            folder.on_fit_end(trainer, run)
            folder.together = len(self.folders)
            folder.seconds /= folder.together
