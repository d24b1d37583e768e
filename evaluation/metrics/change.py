"""How much a picture has changed, on the object and beside it."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor

from evaluation.metrics.base import UNDEFINED, PictureMetric, Pictures, Score


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
    """How much of the picture is the object, and how much it and the rest have changed."""

    scores: ClassVar = {
        "mask_coverage": Score(None, 0, 1, "share of pixels with mask > 0.5"),
        "object_change": Score(None, 0, 1, "mean |O - I| by the mask"),
        "rest_change": Score(None, 0, 1, "mean |O - I| by what the mask leaves"),
    }

    def score(self, pictures: Pictures) -> dict[str, Tensor]:
        coverage = (pictures.mask > 0.5).float().mean((1, 2))
        change = mean_change(pictures.output, pictures.content, pictures.mask)
        return {"mask_coverage": coverage, **change}
