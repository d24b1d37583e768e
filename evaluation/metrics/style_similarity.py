"""Style adherence in a joint text-image space."""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor


class Encoder(Protocol):
    """What this metric asks of a joint encoder; all vectors are of unit length."""

    def view(self, image: Tensor) -> Tensor: ...

    def embed_images(self, images: Tensor) -> Tensor: ...

    def embed_texts(self, texts: list[str]) -> Tensor: ...


@torch.no_grad()
def style_similarity(image: Tensor, style: str, encoder: Encoder) -> float:
    """Cosine of the picture (3, H, W) in [0, 1] with the style text; [-1, 1], higher is closer.

    With the encoder that was optimised this says how far the optimisation came, not how good the
    picture is.
    """
    picture = encoder.embed_images(encoder.view(image[None]))
    return float(picture[0] @ encoder.embed_texts([style])[0])
