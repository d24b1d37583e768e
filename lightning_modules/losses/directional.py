"""Directional loss: the picture moves in the joint space as the text does (StyleGAN-NADA)."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F

# A picture that has moved less than this has no direction yet. Without the bound the gradient of a
# generator that starts at the content image itself is 1e8, which Adam does not forget for hundreds
# of steps.
SMALLEST_MOVE = 1e-2


def directional_loss(output: Tensor, content: Tensor, text_direction: Tensor) -> Tensor:
    """1 - cos(E_I(output) - E_I(content), dT), per picture or patch (CLIPstyler, eq. 1).

    output: (N, D) embeddings; content: (D,) or (N, D); text_direction: (D,) or (N, D), dT.
    Returns (N,) in [0, 2]; 1 where output equals content, since a zero vector has no direction.
    The paper's formula wherever the picture has moved by SMALLEST_MOVE; below, it fades to 1.
    """
    return 1 - F.cosine_similarity(output - content, text_direction, dim=-1, eps=SMALLEST_MOVE)
