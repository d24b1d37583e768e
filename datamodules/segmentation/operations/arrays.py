"""Pictures as arrays, uint8 (H, W, 3), and maps over them: sizes, and the networks' input."""

from __future__ import annotations

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from datamodules.models.packaged import imagenet_input


def standardize(x: Tensor) -> Tensor:
    """Zero mean and unit deviation over the last two dimensions."""
    x = x - x.mean((-2, -1), keepdim=True)
    return x / (x.std((-2, -1), keepdim=True, correction=0) + 1e-6)


def network_input(pictures: list[np.ndarray]) -> Tensor:
    """N pictures, uint8 (H, W, 3), as the network's input (N, 3, H, W)."""
    return imagenet_input(torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2).float() / 255)


def both_ways(picture: np.ndarray) -> Tensor:
    """The picture (H, W, 3) and its mirror image as the network's input, (2, 3, H, W)."""
    return network_input([picture, picture[:, ::-1]])


def fold(maps: Tensor) -> Tensor:
    """Maps of a picture and of its mirror image, (2, C, h, w), averaged in place: (C, h, w)."""
    return (maps[0] + maps[1].flip(-1)) / 2


def resize(picture: np.ndarray, height: int, width: int) -> np.ndarray:
    """Resize (H, W[, 3]): area averaging when shrinking, else bilinear."""
    shrinks = height * width < picture.shape[0] * picture.shape[1]
    way = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return cv2.resize(picture, (width, height), interpolation=way)


def fit(picture: np.ndarray, side: int, multiple: int = 1) -> np.ndarray:
    """Resize to a long side of `side` px, both sides rounded to a multiple (at least one)."""
    scale = side / max(picture.shape[:2]) / multiple
    height, width = (max(1, round(n * scale)) * multiple for n in picture.shape[:2])
    return resize(picture, height, width)


def upsample(maps: Tensor, size: tuple[int, int]) -> Tensor:
    """(C, h, w) -> (C, *size), bilinear."""
    return F.interpolate(maps[None], size=size, mode="bilinear", align_corners=False)[0]
