"""CRIS's square: a picture fitted into it for the network, and its map fitted back."""

from __future__ import annotations

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

SIDE = 416  # px
MEAN = (0.48145466, 0.4578275, 0.40821073)  # of CLIP's training pictures, RGB in [0, 1]
DEVIATION = (0.26862954, 0.26130258, 0.27577711)
BORDER = tuple(255 * value for value in MEAN)


def framed(picture: np.ndarray) -> np.ndarray:
    """A picture (H, W, 3), uint8, as (SIDE, SIDE, 3): scaled, centred, the rest CLIP's mean."""
    outside, inside = _corners(*picture.shape[:2])
    return cv2.warpAffine(
        picture,
        cv2.getAffineTransform(outside, inside),
        (SIDE, SIDE),
        flags=cv2.INTER_CUBIC,
        borderValue=BORDER,
    )


def normalised(square: np.ndarray) -> Tensor:
    """A framed picture as the network's input, float32 (1, 3, SIDE, SIDE)."""
    values = torch.from_numpy(square).permute(2, 0, 1).float() / 255
    mean, deviation = (torch.tensor(numbers).view(3, 1, 1) for numbers in (MEAN, DEVIATION))
    return ((values - mean) / deviation)[None]


def unframed(logits: Tensor, height: int, width: int) -> Tensor:
    """Probabilities (height, width) of the picture's pixels, from the network's logits (h, w).

    Bicubic interpolation may exceed [0, 1] slightly.
    """
    square = F.interpolate(
        logits.sigmoid()[None, None], (SIDE, SIDE), mode="bicubic", align_corners=True
    )
    outside, inside = _corners(height, width)
    back = cv2.getAffineTransform(inside, outside)
    values = cv2.warpAffine(square[0, 0].numpy(), back, (width, height), flags=cv2.INTER_CUBIC)
    return torch.from_numpy(values)


def _corners(height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    """Three corners (3, 2) of a picture, and their places in the square, x before y.

    Corners count as pixels' centres, as in the published code.
    """
    corners = np.array([(0, 0), (width, 0), (0, height)], np.float32)
    scale = min(SIDE / height, SIDE / width)
    margin = np.array([SIDE - width * scale, SIDE - height * scale]) / 2
    return corners, (corners * scale + margin).astype(np.float32)
