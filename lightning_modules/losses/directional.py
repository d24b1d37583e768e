"""Directional loss: the picture moves in the joint space as the text does (StyleGAN-NADA)."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F


def directional_loss(output: Tensor, content: Tensor, text_direction: Tensor) -> Tensor:
    """1 - cos(E_I(output) - E_I(content), dT), per picture or patch (CLIPstyler, eq. 1).

    output: (N, D) embeddings; content: (D,) or (N, D); text_direction: (D,) or (N, D), dT.
    Returns (N,) in [0, 2]; 1 where output equals content, since a zero vector has no direction.
    """
    return 1 - F.cosine_similarity(output - content, text_direction, dim=-1)
