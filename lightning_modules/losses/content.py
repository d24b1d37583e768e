"""Content loss: the features of a frozen network are preserved."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor
from torch.nn import functional as F


def content_loss(output: Sequence[Tensor], content: Sequence[Tensor]) -> Tensor:
    """Sum over layers of the mean squared difference of features (CLIPstyler, eq. 4; Gatys 2016).

    output, content: one feature map per layer, pairwise of equal shape. Returns a scalar >= 0.
    """
    return sum(F.mse_loss(a, b) for a, b in zip(output, content, strict=True))
