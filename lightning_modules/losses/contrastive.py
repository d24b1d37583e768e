"""Contrastive loss: the picture moves in its own text's direction rather than in another's."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F

from lightning_modules.losses.directional import SMALLEST_MOVE


def contrastive_loss(
    output: Tensor,
    content: Tensor,
    text_directions: Tensor,
    own: Tensor,
    temperature: float = 0.1,
) -> Tensor:
    """InfoNCE over style texts: mean of -log(exp(c_own / t) / sum over texts j of exp(c_j / t)).

    c_j is the cosine of the picture's move E_I(output) - E_I(content) with the direction dT_j of
    text j. A move shorter than `directional.SMALLEST_MOVE` counts as partly without direction.
    output, content: (N, D) embeddings. text_directions: (T, D), each of length 1. own: indices (N,)
    of the pictures' own texts. temperature: t > 0. Returns a scalar >= 0, log T for pictures that
    have not moved.
    Source: van den Oord et al. 2018 (arXiv 1807.03748, eq. 4). TxST trains contrastively over style
    texts (Liu et al. 2022, arXiv 2202.13562); directions instead of embeddings are ours.
    """
    moves = (output - content).unsqueeze(1)
    cosines = F.cosine_similarity(moves, text_directions, dim=-1, eps=SMALLEST_MOVE)
    return F.cross_entropy(cosines / temperature, own)
