"""Phrases read in a picture through ImageNet's classes, the bridge from words to pixels.

Relatives: ConSE and DeViSE (words to classes by their embeddings), CAM (class scores per cell of a
classifier's last feature map).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from datamodules.models.cache import once_per_process
from datamodules.models.embedded_networks import (
    efficientnet_lite0,
    imagenet_class_embeddings,
    sentence_embedder,
)
from datamodules.segmentation.features.efficientnet import STRIDE
from datamodules.segmentation.operations.arrays import (
    both_ways,
    fit_array,
    fold,
    standardize,
    upsample,
)
from datamodules.segmentation.operations.phrases import nested_phrases


@once_per_process(at_most=4)
def phrase_regression(ridge: float) -> Tensor:
    """Kernel ridge regression from class names to rows of the classifier, (1000, 1280).

    Multiplied by the cosines (1000,) between a phrase and the class names it gives weights (1280,)
    that score features for the phrase as the network's own rows do for its classes.
    """
    rows = efficientnet_lite0().classifier.weight
    names = class_directions()
    kernel = names @ names.T + ridge * torch.eye(len(names))
    return torch.linalg.solve(kernel, rows - rows.mean(0))


@once_per_process
def class_directions() -> Tensor:
    """Unit vectors from the mean of the class embeddings to each class, (1000, 384)."""
    embeddings = imagenet_class_embeddings()
    return F.normalize(embeddings - embeddings.mean(0), dim=1)


@dataclass(frozen=True)
class Reading:
    """One phrase in one picture.

    Attributes:
        nearness: cosines in [-1, 1] between the phrase and the class names, (1000,).
        heat: heat map of the phrase, (h, w), standardised.
        evidence: sum of the peaks of both scores, averaged over the scales: the greater, the surer
            the phrase is in the picture.
    """

    nearness: Tensor
    heat: Tensor
    evidence: float


@dataclass(frozen=True)
class ClassReader:
    """Dense scores of phrases by the embedded classifier.

    Two scores per cell of the classifier's last feature map: that of a classifier for the phrase
    itself, regressed from the class names, and the log odds of the classes with similar names.

    Args:
        scales: longer sides in px at which the classifier reads a picture.
        temperature: temperature of the cosines between phrase and class names, > 0; the greater,
            the more remote classes count.
        name_ridge: ridge of the regression from class names to classifier weights, > 0.
    """

    scales: tuple[int, ...]
    temperature: float
    name_ridge: float

    def cells(self, picture: np.ndarray) -> list[Tensor]:
        """Features of a picture (H, W, 3) and its mirror image, (2, h, w, 1280) per scale."""
        network = efficientnet_lite0()
        inputs = (both_ways(fit_array(picture, side, STRIDE)) for side in self.scales)
        return [network.forward_features(x).permute(0, 2, 3, 1) for x in inputs]

    def read(self, cells: list[Tensor], phrase: str, size: tuple[int, ...]) -> Reading:
        """Read a phrase in the cells of a picture; its heat map gets the size (h, w)."""
        nearness = self.nearness(phrase)
        scorer = nearness @ phrase_regression(self.name_ridge)
        heats, peaks = [], []
        for features in cells:
            maps = torch.stack([features @ scorer, self.log_odds(features, nearness)], 1)
            heats.append(standardize(upsample(fold(maps), size)))
            peaks.append(maps.amax((2, 3)).sum(1).mean().item())
        heat = standardize(standardize(sum(heats)).sum(0))
        return Reading(nearness, heat, sum(peaks) / len(peaks))

    def whole(self, cells: list[Tensor]) -> Tensor:
        """Probability of each class for a whole picture with these cells, (1000,)."""
        classifier = efficientnet_lite0().classifier
        each = [classifier(features.mean((1, 2))).softmax(-1).mean(0) for features in cells]
        return sum(each) / len(each)

    def likeliest(self, cells: list[Tensor], classes: list[int]) -> float:
        """Probability of any of some classes in the likeliest cell, averaged over the scales."""
        classifier = efficientnet_lite0().classifier
        shares = [classifier(features).softmax(-1)[..., classes].sum(-1) for features in cells]
        return float(sum(share.amax((1, 2)).mean() for share in shares) / len(shares))

    def nearness(self, phrase: str) -> Tensor:
        """Cosine in [-1, 1] of a phrase to each of the 1000 class names, (1000,)."""
        texts = [f"a photo of a {part}" for part in nested_phrases(phrase)]
        parts = F.normalize(sentence_embedder()(texts) - imagenet_class_embeddings().mean(0), dim=1)
        return class_directions() @ F.normalize(parts.sum(0), dim=0)

    def log_odds(self, features: Tensor, nearness: Tensor) -> Tensor:
        """Log of the near classes' share in the classifier's output, <= 0: (..., 1280) -> (...)."""
        logits = efficientnet_lite0().classifier(features)
        near = (nearness - nearness.max()) / self.temperature
        return torch.logsumexp(logits + near, -1) - torch.logsumexp(logits, -1)
