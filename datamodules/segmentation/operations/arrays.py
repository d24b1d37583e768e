"""Pictures as uint8 arrays (H, W, 3), maps over them, and their way into networks."""

from __future__ import annotations

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from datamodules.models.embedded_networks import imagenet_input


def standardize(x: Tensor) -> Tensor:
    """Shift and scale to zero mean and unit deviation over the last two dimensions."""
    x = x - x.mean((-2, -1), keepdim=True)
    return x / (x.std((-2, -1), keepdim=True, correction=0) + 1e-6)  # flat maps become zeros


def network_input(pictures: list[np.ndarray]) -> Tensor:
    """Stack N pictures of one size, uint8 (H, W, 3), to ImageNet's normalised (N, 3, H, W)."""
    return imagenet_input(torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2).float() / 255)


def both_ways(picture: np.ndarray) -> Tensor:
    """Stack a picture (H, W, 3) and its mirror image to a network's input, (2, 3, H, W)."""
    return network_input([picture, picture[:, ::-1]])


def fold(maps: Tensor) -> Tensor:
    """Average the maps of a picture and of its mirror image: (2, C, h, w) -> (C, h, w)."""
    return (maps[0] + maps[1].flip(-1)) / 2


def resize_array(picture: np.ndarray, height: int, width: int) -> np.ndarray:
    """Resize (H, W[, 3]) to (height, width[, 3]): by area when shrinking, else bilinear."""
    shrinks = height * width < picture.shape[0] * picture.shape[1]
    interpolation = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return cv2.resize(picture, (width, height), interpolation=interpolation)


def fit_array(picture: np.ndarray, side: int, multiple: int = 1) -> np.ndarray:
    """Resize (H, W[, 3]) to a longer side of `side` px, both sides rounded to a multiple."""
    scale = side / max(picture.shape[:2]) / multiple
    height, width = (max(1, round(n * scale)) * multiple for n in picture.shape[:2])
    return resize_array(picture, height, width)


def upsample(maps: Tensor, size: tuple[int, ...]) -> Tensor:
    """Resize maps (C, h, w) to (C, *size), bilinear."""
    return F.interpolate(maps[None], size=size, mode="bilinear", align_corners=False)[0]


def largest_piece(region: np.ndarray) -> np.ndarray:
    """Connected piece, bool (H, W), with the most pixels of a region that is not empty."""
    _, pieces, measures, _ = cv2.connectedComponentsWithStats(region.astype(np.uint8))
    return pieces == 1 + measures[1:, cv2.CC_STAT_AREA].argmax()
