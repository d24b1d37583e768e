"""Learning-rate schedules: the papers' halving and a linear ramp, both counted in steps.

Both are ordinary schedulers of PyTorch and can be replaced by any other of its own
(`--model.lr_scheduler torch.optim.lr_scheduler.CosineAnnealingLR`). What belongs to the run rather
than to the schedule is read from the optimizer's parameter groups, as PyTorch's schedulers read
`initial_lr` there: `steps`, the length of the run, and `early_halving`.
"""

from __future__ import annotations

from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR

from datamodules.support.errors import AtelierError


class Halving(LambdaLR):
    """The papers' schedule: the learning rate halves after every `every` steps.

    Args:
        optimizer: its parameter group says by `early_halving` whether the rate halves one step
            early, at steps 99, 199, ... for `every=100`.
        every: steps between two halvings, at least 1.
    """

    def __init__(self, optimizer: Optimizer, every: int = 100) -> None:
        if every < 1:
            raise AtelierError(f"every is {every}; give --model.lr_scheduler.every 1 or more")
        early = optimizer.param_groups[0].get("early_halving", False)
        super().__init__(optimizer, lambda step: 0.5 ** ((step + early) // every))


class Linear(LambdaLR):
    """A linear ramp: up to the learning rate during the first steps, then down to 0 at the end.

    Args:
        optimizer: its parameter group gives the length of the run as `steps`.
        rise: share of the steps during which the rate rises, in [0, 1).
    """

    def __init__(self, optimizer: Optimizer, rise: float = 0.1) -> None:
        if not 0 <= rise < 1:
            raise AtelierError(f"rise is {rise:g}; give --model.lr_scheduler.rise in [0, 1)")
        steps = optimizer.param_groups[0]["steps"]
        up = max(1, int(rise * steps))
        super().__init__(
            optimizer,
            lambda step: min((step + 1) / up, (steps - step) / ((1 - rise) * steps)),
        )


class Hyperbolic(LambdaLR):
    """The rate divided by 1 + decay * step, as in CLIPstyler's fast mode.

    Args:
        optimizer: of any kind.
        decay: 0 or more.
    """

    def __init__(self, optimizer: Optimizer, decay: float = 5e-5) -> None:
        if decay < 0:
            raise AtelierError(f"decay is {decay:g}; give --model.lr_scheduler.decay 0 or more")
        super().__init__(optimizer, lambda step: 1 / (1 + decay * step))
