"""A disc in the middle of the picture, for photos whose object is there."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor

from datamodules.segmentation.base import Segmenter
from datamodules.support.errors import AtelierError


class Disc(Segmenter):
    """A disc in the middle, whatever the phrase.

    Args:
        radius: relative to half of the shorter side, in (0, 1].
    """

    needs_phrase: ClassVar[bool] = False

    def __init__(self, radius: float = 0.8) -> None:
        if not 0 < radius <= 1:
            raise AtelierError(f"The disc's radius is {radius}; give a number above 0, at most 1")
        self.radius = radius

    def segment(self, content: Tensor, phrase: str) -> Tensor:
        """The mask (H, W) in [0, 1] of a picture (3, H, W)."""
        height, width = content.shape[1:]
        y, x = torch.arange(height) + 0.5 - height / 2, torch.arange(width) + 0.5 - width / 2
        distance = torch.hypot(y[:, None], x[None, :])
        return (distance <= self.radius * min(height, width) / 2).float()
