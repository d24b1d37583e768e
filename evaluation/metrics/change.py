"""Change of the picture, on the object and on the rest."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor

from evaluation.metrics import scores as declared
from evaluation.metrics.base import UNDEFINED, PictureMetric, Pictures


def mean_change(output: Tensor, content: Tensor, mask: Tensor) -> dict[str, Tensor]:
    """Mean absolute difference of output and content inside and outside the mask, (N,) in [0, 1].

    output, content: (N, 3, H, W) in [0, 1]; mask: (N, H, W) in [0, 1], 1 = the object; a pixel
    counts for both by its share. UNDEFINED for a region that the mask leaves empty.
    """
    difference = (output - content).abs().mean(1)
    regions = {"object_change": mask, "rest_change": 1 - mask}
    return {
        name: torch.where(share.sum((1, 2)) > 0, _mean(difference, share), UNDEFINED)
        for name, share in regions.items()
    }


def _mean(values: Tensor, share: Tensor) -> Tensor:
    return (values * share).sum((1, 2)) / share.sum((1, 2))


class Change(PictureMetric):
    """Size of the object, and mean change of the object and of the rest."""

    scores: ClassVar = declared.CHANGE

    def score(self, pictures: Pictures) -> dict[str, Tensor]:
        coverage = (pictures.mask > 0.5).float().mean((1, 2))
        change = mean_change(pictures.output, pictures.content, pictures.mask)
        return {"mask_coverage": coverage, **change}
