"""Text to mask without a text-image model: ImageNet's classes are the bridge from words to pixels.

Relatives: ConSE and DeViSE (words to classes by their embeddings), CAM (dense class scores of a
classifier), GrabCut (Rother et al. 2004), U^2-Net (saliency.py).

1. Two readings of the phrase in each cell of the classifier's last feature map, at several scales:
   a classifier for the phrase itself, regressed from the classes' names, and the odds of the
   classes whose names are near the phrase. Their sum is the heat map.
2. Ridge regression of the coarse heat on the picture's own mid-level features and colours: what
   looks alike is heated alike, at four times the resolution.
3. What stands out from the whole picture and from windows around the hot regions, whatever it is.
   These maps join the regression: of the things that stand out, the hot ones count.
4. GrabCut from seeds at many levels of the heat, and the maps themselves. A mask scores well that
   is hot inside and cold outside, outlined by the picture's edges, like the others, and recognised
   as the phrase when all else is blurred. No single score is sure: the masks vote by their scores.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache, partial

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from datamodules.images import to_picture
from datamodules.models.packaged import (
    efficientnet_lite0,
    imagenet_class_embeddings,
    sentence_embedder,
)
from datamodules.segmentation.base import Segmenter
from datamodules.segmentation.cues.people import parted, person_mask
from datamodules.segmentation.cues.saliency import box_around, salient
from datamodules.segmentation.cues.stuff import stuff_mask
from datamodules.segmentation.operations.arrays import (
    both_ways,
    fit,
    fold,
    network_input,
    resize,
    standardize,
    upsample,
)
from datamodules.segmentation.operations.colors import suited
from datamodules.segmentation.operations.grabcut import grab_cut
from datamodules.segmentation.operations.phrases import PERSON_WORDS, nested_phrases, place
from datamodules.segmentation.operations.voting import (
    along_outline,
    contrast,
    correlation,
    edges,
    elect,
    isolate,
    overlaps,
)
from datamodules.support.errors import AtelierError

AREAS = (0.02, 0.035, 0.06, 0.09, 0.13, 0.18, 0.24, 0.31, 0.4, 0.5, 0.6, 0.7, 0.8)
# Confidence is the overlap (IoU) to be expected, from the 21 masks of objects this was made with:
# where the classifier names an isolated one by the phrase, RECOGNISED; SLOPE less for each factor
# e in the odds. Of people and of sky and ground the mean is known alone; people without a face
# are a guess.
RECOGNISED, SLOPE, PERSON, STUFF, GUESS = 0.96, 0.1, 0.85, 0.8, 0.5
FACELESS = 1.0  # people turned away are no class: they give about so much less evidence
WARM = 0.1  # correlation with the heat from which what stands out is taken for a person
TINY = 16  # px: a picture with a shorter side is taken as a whole, as is one of one colour


@lru_cache(maxsize=4)
def phrase_regression(ridge: float) -> Tensor:
    """Kernel ridge regression from class names to rows of the classifier, (1000, 1280).

    Multiplied by a phrase's similarity to the 1000 names (1000,) it gives weights (1280,) that
    score features for the phrase as the network's own rows score them for its classes.
    """
    rows = efficientnet_lite0().classifier.weight
    names = class_directions()
    kernel = names @ names.T + ridge * torch.eye(len(names))
    return torch.linalg.solve(kernel, rows - rows.mean(0))


@lru_cache(maxsize=1)
def class_directions() -> Tensor:
    """Unit vectors from the mean of the class embeddings to each class, (1000, 384)."""
    embeddings = imagenet_class_embeddings()
    return F.normalize(embeddings - embeddings.mean(0), dim=1)


class BridgeSegmenter(Segmenter):
    """Masks from embedded models only, about 4 s a picture on a CPU.

    scales: long sides, in px, at which the classifier sees the picture.
    temperature: of the cosine between phrase and class name; greater lets remoter classes in.
    name_ridge: ridge of the regression from class names to classifier weights.
    picture_ridge: ridge of the regression from the picture's features to the heat; greater trusts
        the picture more and the classifier less.
    position: weight of a pixel's position among those features.
    windows: fractions of the picture, its hottest, around which it is asked what stands out.
    saliency: weight of what stands out among the picture's features; 0 = not asked.
    guidance: how strictly a word of place is taken, "on the left"; 0 = not at all.
    areas: fractions of the picture at which the heat is cut into seeds for GrabCut.
    temper: of the vote of the masks; smaller leaves the word to the best ones.
    side: long side, in px, at which GrabCut works.
    presence: least evidence (see `heat`) that the phrase is in the picture. At 0.5, of 30 phrases
        x 18 pictures in which they are not 5% pass, and of 21 that are there the horse of a
        painting alone is refused (evidence -1.1; at -1.2 it is found, and 17% pass).
    """

    def __init__(
        self,
        scales: tuple[int, ...] = (256, 320, 384, 512, 640),
        temperature: float = 0.15,
        name_ridge: float = 3.0,
        picture_ridge: float = 0.2,
        position: float = 0.3,
        windows: tuple[float, ...] = (0.09, 0.2, 0.4),
        saliency: float = 1.0,
        guidance: float = 4.0,
        areas: tuple[float, ...] = AREAS,
        temper: float = 0.8,
        side: int = 256,
        presence: float = 0.5,
    ) -> None:
        self.scales = scales
        self.temperature = temperature
        self.name_ridge = name_ridge
        self.picture_ridge = picture_ridge
        self.position = position
        self.windows = windows
        self.saliency = saliency
        self.guidance = guidance
        self.areas = areas
        self.temper = temper
        self.side = side
        self.presence = presence

    @torch.no_grad()
    def segment(self, content: Tensor, phrase: str) -> Tensor:
        if not phrase.strip():
            raise AtelierError(
                "No object is named, so there is nothing to find; name one or give --mask FILE"
            )
        height, width = content.shape[1:]
        if min(height, width) < TINY or content.min() == content.max():
            self.confidence = 1.0
            return torch.ones(height, width)
        picture = as_picture(content)
        mask, self.confidence = self.find(picture, fit(picture, self.side), phrase)
        self.warn(phrase)
        return torch.from_numpy(resize(mask.astype(np.float32), height, width))

    @torch.no_grad()
    def evidence(self, content: Tensor, phrases: list[str]) -> dict[str, float]:
        """How surely each phrase is in the picture (3, H, W); below `presence` it is refused."""
        picture = as_picture(content)
        cells, size = self.cells(picture), fit(picture[..., 0], 96).shape
        return {phrase: self.heat(cells, self.nearness(phrase), size)[1] for phrase in phrases}

    def find(self, picture: np.ndarray, small: np.ndarray, phrase: str) -> tuple[np.ndarray, float]:
        """Mask of the object, bool, of the size of the small picture, and the confidence in it."""
        mask = person_mask(picture, small.shape[:2], phrase)
        if mask is not None:
            return mask, PERSON
        mask = stuff_mask(small, nested_phrases(phrase)[2])
        if mask is not None:
            return mask, STUFF
        nearness = self.nearness(phrase)
        coarse, evidence = self.heat(self.cells(picture), nearness, fit(small[..., 0], 96).shape)
        faceless = nested_phrases(phrase)[2] in PERSON_WORDS
        if evidence < self.presence - FACELESS * faceless:
            raise AtelierError(
                f'"{phrase}" was not found in the picture; try another phrase or give --mask FILE'
            )
        mask = parted(small, phrase) if faceless else None
        if mask is not None:
            return mask, GUESS
        allowed = self.allowed(phrase, coarse.shape)
        coarse = confine(coarse, allowed)
        features = hypercolumns(picture, coarse.shape)
        views = self.views(small, self.aligned(coarse, features, []))
        if faceless and views and place(phrase, coarse.shape) is None:
            mask = views[0] > 0.5
            warm = resize(coarse.numpy(), *mask.shape)
            if mask.any() and correlation(warm, mask[None])[0] > WARM:
                return mask, GUESS
        heat = confine(self.aligned(coarse, features, views), allowed)
        views = [view * resize(allowed.numpy(), *view.shape) for view in views]
        mask, confidence = self.cut(small, heat, views, nearness)
        confidence = min(confidence, GUESS) if faceless else confidence
        return suited(small, mask, phrase), confidence

    def allowed(self, phrase: str, size: tuple[int, ...]) -> Tensor:
        """Where the object may lie by the phrase's word of place: (h, w) in [0, 1], else all 1."""
        liking = place(phrase, size)
        if liking is None:
            return torch.ones(size)
        return ((1 + liking) / 2).clamp(0, 1) ** self.guidance

    def nearness(self, phrase: str) -> Tensor:
        """Cosine in [-1, 1] of the phrase to each of the 1000 class names, (1000,)."""
        texts = [f"a photo of a {part}" for part in nested_phrases(phrase)]
        parts = F.normalize(sentence_embedder()(texts) - imagenet_class_embeddings().mean(0), dim=1)
        return class_directions() @ F.normalize(parts.sum(0), dim=0)

    def log_odds(self, features: Tensor, nearness: Tensor) -> Tensor:
        """Log share, <= 0, of the near classes in the classifier's answer: (..., 1280) -> (...)."""
        logits = efficientnet_lite0().classifier(features)
        near = (nearness - nearness.max()) / self.temperature
        return torch.logsumexp(logits + near, -1) - torch.logsumexp(logits, -1)

    def cells(self, picture: np.ndarray) -> list[Tensor]:
        """The classifier's features of a picture and its mirror image, (2, h, w, 1280) a scale."""
        network = efficientnet_lite0()
        inputs = (both_ways(fit(picture, side, 32)) for side in self.scales)
        return [network.forward_features(x).permute(0, 2, 3, 1) for x in inputs]

    def heat(
        self, cells: list[Tensor], nearness: Tensor, size: tuple[int, ...]
    ) -> tuple[Tensor, float]:
        """Standardised heat (h, w) of the phrase, and the evidence that it is in the picture.

        The evidence is the sum of both readings' peaks, averaged over the scales. All is averaged
        over the picture and its mirror image.
        """
        scorer = nearness @ phrase_regression(self.name_ridge)
        readings, peaks = [], []
        for features in cells:
            maps = torch.stack([features @ scorer, self.log_odds(features, nearness)], 1)
            readings.append(standardize(upsample(fold(maps), size)))
            peaks.append(maps.amax((2, 3)).sum(1).mean().item())
        return standardize(standardize(sum(readings)).sum(0)), sum(peaks) / len(peaks)

    def views(self, picture: np.ndarray, heat: Tensor) -> list[np.ndarray]:
        """What stands out from the picture and from windows around its hot regions, (H, W) each."""
        height, width = picture.shape[:2]
        warm = resize(heat.numpy(), height, width)
        boxes = [(0, 0, height, width)]
        for share in self.windows:
            region = largest_piece(warm > np.quantile(warm, 1 - share))
            boxes.append(box_around(region, margin=0.3))
        return [salient(picture, box) for box in boxes] if self.saliency else []

    def aligned(self, heat: Tensor, features: list[Tensor], views: list[np.ndarray]) -> Tensor:
        """The heat (h, w), above all as far as the picture's features and views explain it."""
        columns = [*features, self.position * positions(heat.shape)]
        seen = [torch.from_numpy(resize(view, *heat.shape)) for view in views]
        columns += [2 * self.saliency * (view - view.mean())[None] for view in seen]
        x = torch.cat([*columns, torch.ones(1, *heat.shape)]).flatten(1)
        ridge = self.picture_ridge * torch.eye(len(x))
        weights = torch.linalg.solve(x @ x.T / x.shape[1] + ridge, x @ heat.flatten() / x.shape[1])
        return heat + 6 * standardize((weights @ x).view_as(heat))

    def cut(
        self, picture: np.ndarray, heat: Tensor, views: list[np.ndarray], nearness: Tensor
    ) -> tuple[np.ndarray, float]:
        """The elected mask, bool (H, W), of those that heat and views give, and the confidence.

        One can be confident where the classifier recognises any of the masks' objects by itself.
        """
        warm = resize(heat.numpy(), *picture.shape[:2])
        levels = np.quantile(warm, 1 - np.array(self.areas))
        with ThreadPoolExecutor() as pool:  # OpenCV's chance is a thread's own
            masks = [*pool.map(partial(grab_cut, picture, warm), levels)]
        masks += [view > 0.5 for view in views]
        masks = np.array([mask for mask in masks if mask.any() and not mask.all()])
        if not len(masks):
            return warm > 0, 0.0
        alone = network_input([isolate(picture, mask, 128) for mask in masks])
        network = efficientnet_lite0()
        features = network.forward_head(network.forward_features(alone), pre_logits=True)
        criteria = [
            contrast(warm, masks),  # prefers small masks,
            correlation(warm, masks),  # those of the heat's own size,
            along_outline(edges(picture), masks),
            overlaps(masks).mean(1),
            self.log_odds(features, nearness).numpy(),
        ]
        recognised = float(criteria[-1].max())
        confidence = min(max(RECOGNISED + SLOPE * recognised, 0.0), 1.0)
        return elect(masks, criteria, self.temper), confidence


def as_picture(content: Tensor) -> np.ndarray:
    """(3, H, W) in [0, 1] as uint8 (H, W, 3)."""
    return np.asarray(to_picture(content))


def confine(heat: Tensor, allowed: Tensor) -> Tensor:
    """Standardised heat (h, w), as cold as its coldest place where nothing is allowed."""
    return standardize((heat - heat.min()) * allowed)


def largest_piece(region: np.ndarray) -> np.ndarray:
    """The connected piece of a region, bool (H, W), not empty, that has most pixels."""
    _, pieces, measures, _ = cv2.connectedComponentsWithStats(region.astype(np.uint8))
    return pieces == 1 + measures[1:, cv2.CC_STAT_AREA].argmax()


def hypercolumns(picture: np.ndarray, size: tuple[int, ...]) -> list[Tensor]:
    """Features of four depths (strides 4 to 16) and Lab colour, each (C, *size) of unit norm."""
    network = efficientnet_lite0()
    x = network.bn1(network.conv_stem(both_ways(fit(picture, 512, 32))))
    groups = []
    for depth, block in enumerate(network.blocks[:5]):
        x = block(x)
        if depth:
            groups.append(upsample(fold(x), size))
    lab = cv2.cvtColor(resize(picture, *size), cv2.COLOR_RGB2LAB)
    groups.append(torch.from_numpy(lab).permute(2, 0, 1).float())
    return [standardize(group) / len(group) ** 0.5 for group in groups]


def positions(size: tuple[int, ...]) -> Tensor:
    """x, y, xy, x^2, y^2 of each pixel with x, y in [-1, 1], (5, *size)."""
    y, x = torch.meshgrid(*(torch.linspace(-1, 1, n) for n in size), indexing="ij")
    return torch.stack([x, y, x * y, x * x, y * y])
