"""An optimizer and its schedule from settings, as Lightning takes them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from lightning.pytorch.cli import LRSchedulerCallable, OptimizerCallable
from torch import nn
from torch.optim import Optimizer

from datamodules.support.errors import AtelierError


def optimizer_of(
    optimizer: OptimizerCallable,
    schedule: LRSchedulerCallable,
    weights: Sequence[nn.Parameter],
    steps: int,
    early_halving: bool | None = False,
) -> dict[str, Any]:
    """Optimizer of the weights and its schedule in steps, as `configure_optimizers` returns them.

    steps: length of the run, and early_halving: see lightning_modules/optimizers/schedules.py,
    which reads both from the parameter group. Raises AtelierError for settings that do not fit.
    """
    group = {"params": list(weights), "steps": steps, "early_halving": early_halving}
    try:
        instance = optimizer([group])
        _fuse(instance)
        return {
            "optimizer": instance,
            "lr_scheduler": {"scheduler": schedule(instance), "interval": "step"},
        }
    except (TypeError, ValueError) as error:
        raise AtelierError(
            f"Optimizer and schedule cannot be made ({error}); check --model.optimizer and "
            "--model.lr_scheduler"
        ) from error


def rates_of(made: Mapping[str, Any], count: int) -> list[list[float]]:
    """The first `count` learning rates, one per parameter group, of what `optimizer_of` has made.

    It takes empty steps meanwhile.
    """
    optimizer, schedule = made["optimizer"], made["lr_scheduler"]["scheduler"]
    rates = []
    for _ in range(count):
        rates.append([float(group["lr"]) for group in optimizer.param_groups])
        optimizer.step()
        schedule.step()
    return rates


def _fuse(optimizer: Optimizer) -> None:
    """Let an optimizer of PyTorch's, on a GPU, compute a step in one kernel where it can."""
    for group in optimizer.param_groups:
        on_gpu = all(weight.device.type == "cuda" for weight in group["params"])
        if on_gpu and group.get("fused", True) is None and not group.get("foreach"):
            group["fused"] = True
