"""Any object, by the ImageNet classes whose names are similar to the phrase.

Relatives: CAM (dense class scores of a classifier), GrabCut (Rother et al. 2004), U^2-Net
(operations/saliency.py).

1. The heat map of the phrase (operations/class_reader.py) is coarse. Ridge regression on the
   picture's mid-level features and colours sharpens it: places that look alike are heated alike.
2. Saliency in the whole picture and in windows around its hot regions joins that regression: of
   the salient objects, the hot ones count.
3. Candidates are GrabCut masks from seeds at many levels of the heat, and the salient regions. A
   good mask is hot inside and cold outside, lies along edges, resembles the other candidates, and
   is recognised as the phrase when all else is blurred. No criterion is reliable alone: the
   candidates vote by their scores.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from torch import Tensor

from datamodules.models.embedded_networks import efficientnet_lite0
from datamodules.segmentation.cues.base import Cue, Finding
from datamodules.segmentation.cues.scene import Scene
from datamodules.segmentation.features.efficientnet import hypercolumns
from datamodules.segmentation.operations.arrays import (
    largest_piece,
    network_input,
    resize_array,
    standardize,
)
from datamodules.segmentation.operations.colors import pieces_of_color
from datamodules.segmentation.operations.grabcut import grab_cut
from datamodules.segmentation.operations.phrases import coordinates, nested_phrases, place
from datamodules.segmentation.operations.saliency import box_around, salient
from datamodules.segmentation.operations.voting import (
    along_outline,
    contrast,
    correlation,
    edges,
    elect,
    isolate,
    overlaps,
    smallness,
)

MARGIN = 0.3  # share of a hot region's sides that its window adds: objects exceed their heat
SALIENCY_GAIN = 2.0  # saliency in [0, 1] deviates by at most 0.5; a standardised feature by 1
CANDIDATE_SIDE = 128  # px; side at which the classifier names the candidates, about 16 per mask


@dataclass(frozen=True)
class Classes(Cue):
    """Cue for objects that the classifier can name.

    Args:
        picture_ridge: ridge of the regression from the picture's features to the heat, > 0; the
            greater, the more the features count and the less the classifier.
        position: weight of a pixel's position among those features, >= 0.
        windows: shares of the picture, its hottest, around which saliency is measured again.
        saliency: weight of saliency among the picture's features; 0 leaves it out, also from the
            candidates.
        guidance: exponent >= 0 of words of place such as "on the left"; 0 ignores them.
        areas: shares of the picture at which the heat is cut into seeds for GrabCut.
        temper: temperature of the vote, > 0; the smaller, the more the best masks decide.
        alignment: weight of the regression's fit in the heat map, >= 0; the raw heat has 1.
    """

    picture_ridge: float = 0.2
    position: float = 0.3
    windows: tuple[float, ...] = (0.09, 0.2, 0.4)
    saliency: float = 1.0
    guidance: float = 4.0
    areas: tuple[float, ...] = (
        *(0.02, 0.035, 0.06, 0.09, 0.13, 0.18, 0.24),
        *(0.31, 0.4, 0.5, 0.6, 0.7, 0.8),
    )
    temper: float = 0.65
    alignment: float = 6.0

    def find(self, scene: Scene, phrase: str) -> Finding | None:
        if not scene.shows(phrase):
            return None
        coarse = scene.reading(phrase).heat
        allowed = self.allowed(phrase, coarse.shape)
        coarse = confine(coarse, allowed)
        features = hypercolumns(scene.picture, coarse.shape)
        views = self.views(scene, self.aligned(coarse, features, []))
        heat = confine(self.aligned(coarse, features, views), allowed)
        views = [view * resize_array(allowed.numpy(), *view.shape) for view in views]
        candidates = self.candidates(scene.small, heat.numpy(), views)
        warm = resize_array(heat.numpy(), *scene.small.shape[:2])
        if not len(candidates):
            return Finding(warm > 0, 0.0)
        odds = self.recognition(scene, phrase, candidates)
        mask = self.vote(scene, phrase, warm, candidates, odds)
        mask = pieces_of_color(scene.small, mask, phrase)
        return Finding.by_signs(mask, "thing", signs(scene, phrase, warm, mask, odds))

    def allowed(self, phrase: str, size: tuple[int, ...]) -> Tensor:
        """Positions that a phrase's word of place allows, (*size) in [0, 1]; all 1 without one."""
        agreement = place(phrase, size)
        if agreement is None:
            return torch.ones(size)
        return ((1 + agreement) / 2).clamp(0, 1) ** self.guidance

    def views(self, scene: Scene, heat: Tensor) -> list[np.ndarray]:
        """Saliency in the picture and in windows around its hot regions, (H, W) in [0, 1] each."""
        if not self.saliency:
            return []
        picture = scene.small
        warm = resize_array(heat.numpy(), *picture.shape[:2])
        hottest = [warm > np.quantile(warm, 1 - share) for share in self.windows]
        boxes = [box_around(largest_piece(region), MARGIN) for region in hottest]
        return [scene.saliency, *(salient(picture, box) for box in boxes)]

    def aligned(self, heat: Tensor, features: list[Tensor], views: list[np.ndarray]) -> Tensor:
        """Heat map (h, w) plus `alignment` times its ridge regression on features and saliency."""
        maps = [torch.from_numpy(resize_array(view, *heat.shape)) for view in views]
        gain = SALIENCY_GAIN * self.saliency
        columns = [*features, self.position * positions(heat.shape)]
        columns += [gain * (view - view.mean())[None] for view in maps]
        x = torch.cat([*columns, torch.ones(1, *heat.shape)]).flatten(1)
        ridge = self.picture_ridge * torch.eye(len(x))
        weights = torch.linalg.solve(x @ x.T / x.shape[1] + ridge, x @ heat.flatten() / x.shape[1])
        return heat + self.alignment * standardize((weights @ x).view_as(heat))

    def candidates(
        self, picture: np.ndarray, heat: np.ndarray, views: list[np.ndarray]
    ) -> np.ndarray:
        """Masks, bool (N, H, W), none of them empty or full, from heat (h, w) and saliency."""
        warm = resize_array(heat, *picture.shape[:2])
        levels = np.quantile(warm, 1 - np.array(self.areas))
        with ThreadPoolExecutor() as pool:  # OpenCV's random state is per thread
            masks = [*pool.map(partial(grab_cut, picture, warm), levels)]
        masks += [view > 0.5 for view in views]
        return np.array([mask for mask in masks if mask.any() and not mask.all()])

    def vote(
        self, scene: Scene, phrase: str, warm: np.ndarray, masks: np.ndarray, odds: np.ndarray
    ) -> np.ndarray:
        """Mask, bool (H, W), elected from candidates (N, H, W) by heat (H, W), log odds (N,) and
        more.
        """
        criteria = [
            (1.0, contrast(warm, masks)),  # prefers small masks,
            (1.0, correlation(warm, masks)),  # prefers masks as large as the hot region,
            (0.5, along_outline(edges(scene.small), masks)),
            (1.0, overlaps(masks).mean(1)),
            (1.0, odds),
            (1.0, smallness(masks)),
        ]
        return elect(masks, criteria, self.temper)

    def recognition(self, scene: Scene, phrase: str, masks: np.ndarray) -> np.ndarray:
        """Log odds, <= 0, of the phrase for the object in each of N masks, isolated: (N,)."""
        alone = network_input([isolate(scene.small, mask, CANDIDATE_SIDE) for mask in masks])
        network = efficientnet_lite0()
        features = network.forward_head(network.forward_features(alone), pre_logits=True)
        return scene.reader.log_odds(features, scene.reading(phrase).nearness).numpy()


def signs(
    scene: Scene, phrase: str, warm: np.ndarray, mask: np.ndarray, odds: np.ndarray
) -> dict[str, float]:
    """Signs (`operations.confidence`) of a mask, bool (H, W), that it is of the phrase.

    warm: heat (H, W). odds: log odds of the phrase for the candidates, (N,).
    """
    salient = scene.saliency > 0.5
    _, core, _ = nested_phrases(phrase)
    alone = mask.any() and not mask.all()
    return {
        "word": float(scene.reader.nearness(core).max()),
        "named": float(odds.max()),
        "salient": float((mask & salient).sum() / max(1, (mask | salient).sum())),
        "contrast": float(contrast(warm, mask[None])[0]) if alone else 0.0,
    }


def confine(heat: Tensor, allowed: Tensor) -> Tensor:
    """Standardised heat (h, w), as cold as its coldest place where nothing is allowed."""
    return standardize((heat - heat.min()) * allowed)


def positions(size: tuple[int, ...]) -> Tensor:
    """x, y, xy, x^2, y^2 of each pixel with x, y in [-1, 1], (5, *size)."""
    x, y = coordinates(size)
    return torch.stack([x, y, x * y, x * x, y * y])
