"""Checkpoints of a run, from which it goes on after a break and ends with the same picture."""

from __future__ import annotations

import hashlib
import logging
from pathlib import Path
from typing import Any

import torch
from lightning import Callback, LightningModule, Trainer

from datamodules.models.cache import identity
from datamodules.support.errors import AtelierError, reason
from datamodules.task import StyleTask

log = logging.getLogger(__name__)

OTHER = "belongs to other settings or code"


class RunCheckpoints(Callback):
    """Writer of checkpoints every so many steps, and after the last.

    A checkpoint has the generator, the optimizer with its schedule, the random numbers and the
    losses so far. It belongs to one configuration and one task, and is removed with the result
    unless the run keeps it.

    Args:
        path: of the checkpoint; a later one takes the place of an earlier one.
        every: steps from one to the next; 0 = only after the last.
        owner: identity of the run but for its length, see `owner_of`.
        steps: of the whole run.
    """

    def __init__(self, path: Path, every: int, owner: str, steps: int) -> None:
        self.path, self.every, self.owner, self.steps = path, every, owner, steps

    def state_dict(self) -> dict[str, Any]:
        return {"owner": self.owner, "steps": self.steps}

    def on_train_batch_end(self, trainer: Trainer, module: LightningModule, *_: Any) -> None:
        step = trainer.global_step
        last = step == trainer.max_steps or trainer.should_stop
        if last or (self.every and step % self.every == 0):
            trainer.save_checkpoint(self.path)

    def step(self) -> int:
        """Steps done at the checkpoint of this very run, 0 if there is none."""
        if not self.path.exists():
            return 0
        try:
            done, planned = self.read()
            if planned != self.steps:
                raise AtelierError(f"{self.path} {OTHER}")
        except AtelierError as error:
            log.warning("%s; the run begins anew", error)
            return 0
        return done

    def read(self) -> tuple[int, int]:
        """Steps done at the checkpoint, and those that were planned.

        Raises AtelierError for one that is damaged, or whose steps are not those of this run.
        """
        try:
            checkpoint = torch.load(self.path, map_location="cpu", weights_only=True)
            state, done = checkpoint["callbacks"][self.state_key], checkpoint["global_step"]
            owner, planned = state["owner"], state["steps"]
        except Exception as error:  # torch has errors of many kinds
            raise AtelierError(f"{self.path} is damaged ({reason(error)})") from error
        if owner != self.owner:
            raise AtelierError(f"{self.path} {OTHER}")
        return done, planned


def owner_of(config: str, versions: dict[str, str], task: StyleTask) -> str:
    """Identity of a run, 64 hexadecimal digits: configuration, content image and masks.

    versions: of packages and of the code that computes, by name.
    """
    tensors = (task.content, task.masks, task.style_image, task.strength)
    inputs = [tensor.contiguous().numpy() for tensor in tensors if tensor is not None]
    digests = [hashlib.sha256(array).hexdigest() for array in inputs]
    return identity(config, versions, *digests)
