"""Rectangle given by the user, for objects that no model finds."""

from __future__ import annotations

import math
from collections.abc import Hashable
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from datamodules.images import resize_mask, to_array
from datamodules.segmentation.base import Segmenter
from datamodules.segmentation.operations.arrays import fit_array
from datamodules.segmentation.operations.grabcut import grab_cut
from datamodules.support.errors import AtelierError

SIDE = 384  # px; longer side at which GrabCut works
CORE = 1 / 16  # share of the box, around its middle, that is certainly the object


class BoxSegmenter(Segmenter):
    """Segmenter of a fixed box; phrases are ignored.

    No warning is logged for a phrase: it still names the object around which the box was drawn.

    Args:
        left: left edge of the box, as a share of the picture's width from the left.
        top: upper edge, as a share of the picture's height from the top.
        right: right edge, measured like `left` and greater.
        bottom: lower edge, measured like `top` and greater.
        refine: fit the mask to the object's outline inside the box by GrabCut (Rother et al. 2004).
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

    @property
    def identity(self) -> Hashable:
        return type(self), self.box, self.refine

    def segment(self, content: Tensor, phrase: str) -> Tensor:
        if not self.refine:
            return torch.from_numpy(self._inside(*content.shape[1:])).float()
        picture = fit_array(to_array(content), SIDE)
        inside = self._inside(*picture.shape[:2])
        # Outside the box, the half that is farther away seeds the background; the rest is open to
        # GrabCut, but cut off again.
        mask = grab_cut(picture, self._depth(*inside.shape), level=0.0, core=CORE) & inside
        mask = mask if mask.any() else inside  # the box is too small for an outline
        return resize_mask(torch.from_numpy(mask).float(), content.shape[1:])

    def _inside(self, height: int, width: int) -> np.ndarray:
        """Box in pixels, bool (H, W), at least one of which is true."""
        left, top, right, bottom = self.box
        inside = np.zeros((height, width), bool)
        rows = slice(math.floor(top * height), math.ceil(bottom * height))
        inside[rows, math.floor(left * width) : math.ceil(right * width)] = True
        return inside

    def _depth(self, height: int, width: int) -> np.ndarray:
        """Depth of each pixel in the box, (H, W): 1 in its middle, 0 at its edge, < 0 outside."""
        left, top, right, bottom = self.box
        y, x = (np.arange(height) + 0.5) / height, (np.arange(width) + 0.5) / width
        across = 1 - np.abs(2 * x - left - right) / (right - left)
        down = 1 - np.abs(2 * y - top - bottom) / (bottom - top)
        return np.minimum(across[None], down[:, None]).astype(np.float32)
