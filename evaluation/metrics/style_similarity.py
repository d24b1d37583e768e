"""Style adherence in a joint text-image space."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import torch
from torch import Tensor


class Encoder(Protocol):
    """What this metric asks of a joint encoder; all vectors are of unit length."""

    def view(self, image: Tensor) -> Tensor: ...

    def embed_images(self, images: Tensor) -> Tensor: ...

    def embed_texts(self, texts: list[str]) -> Tensor: ...


@torch.no_grad()
def style_similarity(image: Tensor, styles: Mapping[str, float], encoder: Encoder) -> float:
    """Cosine of the picture (3, H, W) in [0, 1] with the style text; [-1, 1], higher is closer.

    styles: weight of each text; of several the mean cosine by weight.
    With the encoder that was optimised this says how far the optimisation came, not how good the
    picture is.
    """
    picture = encoder.embed_images(encoder.view(image[None]))
    cosines = encoder.embed_texts(list(styles)) @ picture[0]
    weights = torch.tensor(list(styles.values())).to(cosines)
    return float(cosines @ weights / weights.sum())
