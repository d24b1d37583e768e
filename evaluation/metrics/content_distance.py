"""Object fidelity: distance of the object's content features before and after."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn import functional as F

from evaluation.metrics import scores as declared
from evaluation.metrics.base import UNDEFINED, PictureMetric, Pictures
from lightning_modules.perceptual.base import ContentFeatures


def content_distance(output: Sequence[Tensor], content: Sequence[Tensor], mask: Tensor) -> Tensor:
    """Sum over layers of the mean squared feature difference inside the mask, (N,) >= 0.

    CLIPstyler's content loss (eq. 4), restricted to the mask. output, content: one feature map
    (N, C, h, w) per layer; mask: (N, H, W) in [0, 1], averaged to each layer's size. UNDEFINED for
    an empty mask.
    """
    total = mask.new_zeros(len(mask))
    for a, b in zip(output, content, strict=True):
        share = F.interpolate(mask[:, None], a.shape[2:], mode="area")
        squared = ((a - b).square() * share).sum((1, 2, 3))
        total = total + squared / (a.shape[1] * share.sum((1, 2, 3)))
    return torch.where(mask.sum((1, 2)) > 0, total, UNDEFINED)


class ContentDistance(PictureMetric):
    """The object's content loss as a score; its scale is the network's.

    Args:
        features: frozen features; VGG-19 conv4_2 and conv5_2 are the papers'.
    """

    scores: ClassVar = declared.CONTENT_DISTANCE

    def __init__(self, features: ContentFeatures) -> None:
        super().__init__(network=features.identity)
        self.features = features

    def score(self, pictures: Pictures) -> dict[str, Tensor]:
        output, content = self.features(pictures.output), self.features(pictures.content)
        distance = content_distance(output, content, pictures.mask)
        return {"object_content_distance": distance}
