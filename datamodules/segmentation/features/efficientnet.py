"""Dense features of the embedded EfficientNet-Lite0: maps of its stages, and hypercolumns."""

from __future__ import annotations

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from datamodules.models.embedded_networks import efficientnet_lite0
from datamodules.segmentation.features.base import DenseFeatures
from datamodules.segmentation.operations.arrays import (
    both_ways,
    fit_array,
    fold,
    resize_array,
    standardize,
    upsample,
)

STRIDE = 32  # px; the network halves its input five times, so the sides must be multiples of it
STAGES = 5  # those up to stride 16; the two at stride 32 describe objects rather than places
HYPERCOLUMN_SIDE = 512  # px; stride 16 of it gives 32 cells, a third of the heat map's resolution


class EfficientNetDense(DenseFeatures):
    """Stages of the embedded EfficientNet-Lite0 at strides 8 and 16, in place of DINO.

    Args:
        size: longer side in px at which the network reads the picture.
    """

    def __init__(self, size: int = 384) -> None:
        self.size = size

    @torch.no_grad()
    def __call__(self, picture: np.ndarray) -> Tensor:
        _, _, middle, _, deep = stage_maps(picture, self.size)
        size = tuple(middle.shape[1:])
        # Unit vectors at each depth: the deeper map has more channels, but no more weight.
        parts = [F.normalize(m - m.mean((1, 2), keepdim=True), dim=0) for m in (middle, deep)]
        return torch.cat([upsample(part, size) for part in parts])


def stage_maps(picture: np.ndarray, side: int) -> list[Tensor]:
    """Maps (C, h, w) of the first five stages, at strides 2, 4, 8, 16 and 16.

    The picture, uint8 (H, W, 3), is read at a longer side of `side` px, and averaged with its
    mirror image.
    """
    network = efficientnet_lite0()
    x = network.bn1(network.conv_stem(both_ways(fit_array(picture, side, STRIDE))))
    maps = []
    for stage in network.blocks[:STAGES]:
        x = stage(x)
        maps.append(fold(x))
    return maps


def hypercolumns(picture: np.ndarray, size: tuple[int, ...]) -> list[Tensor]:
    """Features of four depths (strides 4 to 16) and Lab colour, each (C, *size) of unit norm."""
    groups = [upsample(maps, size) for maps in stage_maps(picture, HYPERCOLUMN_SIDE)[1:]]
    lab = cv2.cvtColor(resize_array(picture, *size), cv2.COLOR_RGB2LAB)
    groups.append(torch.from_numpy(lab).permute(2, 0, 1).float())
    return [standardize(group) / len(group) ** 0.5 for group in groups]
