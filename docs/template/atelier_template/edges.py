"""Contours of pictures, which the method preserves and the metric measures."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F


def contours(pictures: Tensor) -> Tensor:
    """Strength of the contours, (N, 1, H - 1, W - 1) >= 0, of pictures (N, 3, H, W) in [0, 1]."""
    grey = pictures.mean(1, keepdim=True)
    right = grey[..., :-1, 1:] - grey[..., :-1, :-1]
    below = grey[..., 1:, :-1] - grey[..., :-1, :-1]
    return (right**2 + below**2 + 1e-6).sqrt()  # sqrt has no gradient at 0


def blurred(strength: Tensor) -> Tensor:
    """The contours (N, 1, H, W), each spread over the pixels around it."""
    return F.avg_pool2d(strength, 3, stride=1, padding=1)
