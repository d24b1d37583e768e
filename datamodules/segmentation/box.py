"""A rectangle that the user gives: for the object that no model finds."""

from __future__ import annotations

import math
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from datamodules.images import resize, to_picture
from datamodules.segmentation.base import Segmenter
from datamodules.segmentation.operations.arrays import fit
from datamodules.segmentation.operations.grabcut import grab_cut
from datamodules.support.errors import AtelierError

SIDE = 384  # px: the longer side at which GrabCut works


class BoxSegmenter(Segmenter):
    """What lies in a box, whatever the phrase.

    A phrase is no mistake here, so none is warned of: whoever draws a box has found the object,
    and the phrase still names it.

    Args:
        left: of the box, as a share of the picture's width from its left edge.
        top: as a share of the picture's height from its upper edge.
        right: as left, > left.
        bottom: as top, > top.
        refine: GrabCut (Rother et al. 2004) finds the object's outline inside the box.
    """

    needs_phrase: ClassVar[bool] = False

    def __init__(
        self, left: float, top: float, right: float, bottom: float, refine: bool = False
    ) -> None:
        if not (0 <= left < right <= 1 and 0 <= top < bottom <= 1):
            raise AtelierError(
                f"left {left}, top {top}, right {right}, bottom {bottom} is no box; give shares "
                "of the picture's width and height in [0, 1] with left < right and top < bottom"
            )
        self.box = (left, top, right, bottom)
        self.refine = refine

    def segment(self, content: Tensor, phrase: str) -> Tensor:
        if not self.refine:
            return torch.from_numpy(self._inside(*content.shape[1:])).float()
        picture = fit(np.asarray(to_picture(content)), SIDE)
        inside = self._inside(*picture.shape[:2])
        # Surely the object: a sixteenth of the box around its middle. What is colder than the
        # median outside is surely background, and all else outside is cut off again.
        mask = grab_cut(picture, self._depth(*inside.shape), level=0.0, core=1 / 16) & inside
        mask = mask if mask.any() else inside  # too small a box for an outline
        return resize(torch.from_numpy(mask).float(), content.shape[1:])

    def _inside(self, height: int, width: int) -> np.ndarray:
        """The box in pixels, at least one of them, bool (H, W)."""
        left, top, right, bottom = self.box
        inside = np.zeros((height, width), bool)
        rows = slice(math.floor(top * height), math.ceil(bottom * height))
        inside[rows, math.floor(left * width) : math.ceil(right * width)] = True
        return inside

    def _depth(self, height: int, width: int) -> np.ndarray:
        """How deep in the box a pixel lies: 1 in the middle, 0 at its border, < 0 outside."""
        left, top, right, bottom = self.box
        y, x = (np.arange(height) + 0.5) / height, (np.arange(width) + 0.5) / width
        across = 1 - np.abs(2 * x - left - right) / (right - left)
        down = 1 - np.abs(2 * y - top - bottom) / (bottom - top)
        return np.minimum(across[None], down[:, None]).astype(np.float32)
