"""Gram loss: the output takes the textures of a style picture (Gatys 2016)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F


def gram(features: Tensor, mask: Tensor | None = None) -> Tensor:
    """Gram matrix (C, C) of a feature map: G_cc' = sum over pixels of f_c f_c' / (C H W).

    features: (1, C, H, W). mask: (1, 1, h, w) in [0, 1] of any size; it restricts the sum and H W
    to its region (Gatys et al. 2017, spatial control).
    Source: Johnson et al. 2016; Cyizere 2024 (Master's thesis, LUT), section 2.2.2.
    """
    channels, pixels = features.shape[1], features.shape[2] * features.shape[3]
    if mask is not None:
        mask = F.interpolate(mask, features.shape[2:], mode="area")
        features, pixels = features * mask.sqrt(), mask.sum()
    flat = features[0].flatten(1)
    return flat @ flat.T / (channels * pixels)


def gram_loss(output: Sequence[Tensor], style: Sequence[Tensor]) -> Tensor:
    """Sum over layers of the squared Frobenius norm of the difference of Gram matrices.

    output, style: one Gram matrix (C, C) per layer. Returns a scalar >= 0.
    """
    return sum(torch.sum((a - b).square()) for a, b in zip(output, style, strict=True))
