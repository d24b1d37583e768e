"""Early stopping of a run that falls behind others."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any

from lightning import Callback
from torch import Tensor

from datamodules.support.errors import DIVERGED, AtelierError, StoppedEarlyError

WINDOW = 10  # steps whose mean is compared: the loss of one step depends on its random crops


def recent(course: Sequence[float]) -> float:
    """Mean of the last losses of a course of at least one step."""
    last = course[-WINDOW:]
    return sum(last) / len(last)


class StopAbove(Callback):
    """Stops a run whose recent loss, after certain steps, is above the limit of that step.

    Args:
        limits: by step, counted from 1.
        loss: name of the loss as in losses.csv; "total" is the weighted sum.

    Raises StoppedEarlyError from the step, and AtelierError for a loss that is not finite, or that
    the method does not have.
    """

    def __init__(self, limits: Mapping[int, float], loss: str = "total") -> None:
        self.limits = dict(limits)
        self.loss = loss
        self._steps = 0
        self._last: deque[Tensor] = deque(maxlen=WINDOW)

    def state_dict(self) -> dict[str, Any]:
        return {"steps": self._steps, "last": list(self._last)}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self._steps = state_dict["steps"]
        self._last.extend(state_dict["last"])

    def on_train_batch_end(self, trainer, module, outputs, batch, batch_idx) -> None:
        names = {"total" if name == "loss" else name: name for name in outputs}
        if self.loss not in names:
            raise AtelierError(f"There is no loss {self.loss!r}; there are {', '.join(names)}")
        self._steps += 1
        self._last.append(outputs[names[self.loss]].detach())
        if self._steps in self.limits:
            value, limit = recent([float(loss) for loss in self._last]), self.limits[self._steps]
            if not math.isfinite(value):
                raise AtelierError(DIVERGED)
            if value > limit:
                raise StoppedEarlyError(self._steps, self.loss, value, limit)
