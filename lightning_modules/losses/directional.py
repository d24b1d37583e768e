"""Directional loss: in the joint space the picture moves as the text does (StyleGAN-NADA)."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F

# A picture that has moved less than this has no direction yet. Without the bound, the gradient of a
# generator that starts at the content image is about 1e8, from which Adam's averages need hundreds
# of steps to recover.
SMALLEST_MOVE = 1e-2


def directional_loss(output: Tensor, content: Tensor, text_direction: Tensor) -> Tensor:
    """1 - cos(E_I(output) - E_I(content), dT), per picture or patch (CLIPstyler, eq. 1).

    output: (N, D) embeddings; content: (D,) or (N, D); text_direction: (D,) or (N, D), dT.
    Returns (N,) in [0, 2]: the paper's formula for pictures that have moved by SMALLEST_MOVE or
    more; below that it fades to 1, the value for output equal to content.
    """
    return 1 - F.cosine_similarity(output - content, text_direction, dim=-1, eps=SMALLEST_MOVE)
