"""Consistency over seeds: similarity of the outputs of runs that differ only in their seed.

CLIPstyler names it as its limitation that every seed paints another picture.
"""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor
from torch.nn import functional as F

from evaluation.metrics import scores as declared
from evaluation.metrics.base import UNDEFINED, PictureMetric, Pictures
from evaluation.metrics.perceptual import PairDistance, distances
from lightning_modules.encoders.base import JointEncoder


def pairwise_distance(outputs: Tensor, distance: PairDistance) -> Tensor:
    """Mean distance over all pairs of k pictures (k, 3, H, W); UNDEFINED for fewer than two."""
    if len(outputs) < 2:
        return outputs.new_tensor(UNDEFINED)
    first, second = torch.combinations(torch.arange(len(outputs), device=outputs.device)).T
    return distances(distance, outputs[first], outputs[second]).mean()


def direction_spread(moves: Tensor) -> Tensor:
    """1 - mean cosine over all pairs of k directions (k, D), in [0, 2]; 0 = all equal."""
    if len(moves) < 2:
        return moves.new_tensor(UNDEFINED)
    units = F.normalize(moves, dim=1)
    first, second = torch.combinations(torch.arange(len(moves), device=moves.device)).T
    return 1 - (units[first] * units[second]).sum(1).mean()


class SeedDistance(PictureMetric):
    """Mean perceptual distance of the outputs of k seeds, the same number for each of them.

    Args:
        distance: LPIPS, DISTS or the embedded distance.
    """

    over_seeds = True
    scores: ClassVar = declared.SEED_DISTANCE

    def __init__(self, distance: PairDistance) -> None:
        super().__init__(network=distance.identity)
        self.distance = distance

    def score(self, pictures: Pictures) -> dict[str, Tensor]:
        mean = pairwise_distance(pictures.output, self.distance)
        return {"seed_distance": mean.expand(len(pictures))}


class SeedDirection(PictureMetric):
    """Spread of dI = E_I(output) - E_I(content) over k seeds, the same number for each of them.

    Args:
        scorer: the joint encoder in whose space the pictures move.
    """

    over_seeds = True
    scores: ClassVar = declared.SEED_DIRECTION

    def __init__(self, scorer: JointEncoder) -> None:
        super().__init__(network=scorer.identity)
        self.scorer = scorer

    def score(self, pictures: Pictures) -> dict[str, Tensor]:
        after, before = (
            self.scorer.embed_images(self.scorer.view(images))
            for images in (pictures.output, pictures.content)
        )
        spread = direction_spread(after - before)
        return {"seed_direction_spread": spread.expand(len(pictures))}
