"""Checkpoints of a run, from which it goes on after a break and ends with the same picture."""

from __future__ import annotations

import hashlib
import logging
from pathlib import Path
from typing import Any

import torch
from lightning import Callback, LightningModule, Trainer

from datamodules.models.cache import identity
from datamodules.support.errors import reason
from datamodules.task import StyleTask

log = logging.getLogger(__name__)


class RunCheckpoints(Callback):
    """Writer of checkpoints every so many steps, and after the last.

    A checkpoint has the generator, the optimizer with its schedule, the random numbers and the
    losses so far. It belongs to one configuration and one task, and is removed with the result.

    Args:
        path: of the checkpoint; a later one takes the place of an earlier one.
        every: steps from one to the next.
        owner: identity of the run, see `owner_of`.
    """

    def __init__(self, path: Path, every: int, owner: str) -> None:
        self.path, self.every, self.owner = path, every, owner

    def state_dict(self) -> dict[str, Any]:
        return {"owner": self.owner}

    def on_train_batch_end(self, trainer: Trainer, module: LightningModule, *_: Any) -> None:
        if trainer.global_step % self.every == 0 or trainer.global_step == trainer.max_steps:
            trainer.save_checkpoint(self.path)

    def step(self) -> int:
        """Steps done at the checkpoint of this very run, 0 if there is none."""
        if not self.path.exists():
            return 0
        try:
            checkpoint = torch.load(self.path, map_location="cpu", weights_only=True)
            if checkpoint["callbacks"][self.state_key]["owner"] == self.owner:
                return checkpoint["global_step"]
            why = "belongs to other settings or code"
        except Exception as error:  # torch has errors of many kinds
            why = f"is damaged ({reason(error)})"
        log.warning("%s %s; the run begins anew", self.path, why)
        return 0


def owner_of(config: str, versions: dict[str, str], task: StyleTask) -> str:
    """Identity of a run, 64 hexadecimal digits: configuration, content image and masks.

    versions: of packages and of the code that computes, by name.
    """
    tensors = (task.content, task.masks, task.style_image, task.strength)
    inputs = [tensor.contiguous().numpy() for tensor in tensors if tensor is not None]
    digests = [hashlib.sha256(array).hexdigest() for array in inputs]
    return identity(config, versions, *digests)
