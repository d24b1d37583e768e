"""An optimizer and its schedule from settings, as Lightning takes them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lightning.pytorch.cli import LRSchedulerCallable, OptimizerCallable
from torch import nn

from datamodules.support.errors import AtelierError


def optimizer_of(
    optimizer: OptimizerCallable,
    schedule: LRSchedulerCallable,
    weights: Sequence[nn.Parameter],
    steps: int,
    early_halving: bool | None = False,
) -> dict[str, Any]:
    """What `configure_optimizers` returns: an optimizer of the weights, its schedule in steps.

    steps: length of the run, and early_halving: see lightning_modules/optimizers/schedules.py,
    which reads both from the parameter group. Raises AtelierError for settings that do not fit.
    """
    group = {"params": list(weights), "steps": steps, "early_halving": early_halving}
    try:
        made = optimizer([group])
        return {
            "optimizer": made,
            "lr_scheduler": {"scheduler": schedule(made), "interval": "step"},
        }
    except (TypeError, ValueError) as error:
        raise AtelierError(
            f"Optimizer and schedule cannot be made ({error}); check --model.optimizer and "
            "--model.lr_scheduler"
        ) from error
