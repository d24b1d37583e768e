"""Text to mask without a text-image model: ImageNet's classes are the bridge from words to pixels.

Relatives: ConSE and DeViSE (words to classes by their embeddings), CAM (dense class scores of a
classifier), GrabCut (Rother et al. 2004), MSER (the most stable of nested regions).

1. Two readings of the phrase in each cell of the classifier's last feature map, at several scales:
   a classifier for the phrase itself, regressed from the classes' names, and the odds of the
   classes whose names are near the phrase. Their sum is the heat map.
2. Ridge regression of the coarse heat on the picture's own mid-level features and colours: what
   looks alike is heated alike, at four times the resolution.
3. GrabCut from seeds at many levels of the heat. A mask scores well that is stable from level to
   level, hot inside and cold outside, outlined by the picture's edges, and recognised as the
   phrase when all else is blurred. No single score is sure, so the masks vote by their scores.
"""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import pairwise

import cv2
import numpy as np
import torch
from skimage.data import lbp_frontal_face_cascade_filename
from skimage.feature import Cascade
from torch import Tensor
from torch.nn import functional as F

from datamodules.embedded import (
    efficientnet_lite0,
    imagenet_class_embeddings,
    imagenet_input,
    sentence_embedder,
)
from datamodules.errors import AtelierError
from datamodules.segmentation.base import Segmenter
from datamodules.segmentation.grabcut import grown
from datamodules.segmentation.stuff import stuff_mask

ARTICLE = re.compile(r"^(the|a|an|this|that|his|her|its|their|my|your)\s+")
PREPOSITION = re.compile(
    r"\b(with|in|on|at|of|by|from|under|over|near|behind|beside|between|that|which|who|and"
    r"|wearing|holding|riding|floating|standing|sitting)\b"
)
AREAS = (0.02, 0.035, 0.06, 0.09, 0.13, 0.18, 0.24, 0.31, 0.4, 0.5, 0.6, 0.7, 0.8)
FACE_WORDS = {"face", "faces", "head", "heads"}
# fmt: off
PERSON_WORDS = {
    "person", "people", "man", "men", "woman", "women", "girl", "girls", "boy", "boys", "child",
    "children", "lady", "guy", "portrait", "human", "astronaut", "bride", "actor", "actress",
    "singer", "king", "queen", "soldier",
}
# fmt: on
TINY = 16  # px: a picture with a shorter side is taken as a whole, as is one of one colour


def nested_phrases(phrase: str) -> tuple[str, str, str]:
    """The phrase without article, its part before a preposition, and that part's last word.

    "the white sailboat on the sea" -> ("white sailboat on the sea", "white sailboat", "sailboat")
    """
    whole = ARTICLE.sub("", phrase.strip().lower())
    core = PREPOSITION.split(whole)[0].strip(" ,.;") or whole
    return whole, core, core.split()[-1]


def standardize(x: Tensor) -> Tensor:
    """Zero mean and unit deviation over the last two dimensions."""
    x = x - x.mean((-2, -1), keepdim=True)
    return x / (x.std((-2, -1), keepdim=True, correction=0) + 1e-6)


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


def network_input(pictures: list[np.ndarray]) -> Tensor:
    """N pictures, uint8 (H, W, 3), as the network's input (N, 3, H, W)."""
    return imagenet_input(torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2).float() / 255)


def both_ways(picture: np.ndarray) -> Tensor:
    """The picture (H, W, 3) and its mirror image as the network's input, (2, 3, H, W)."""
    return network_input([picture, picture[:, ::-1]])


def fold(maps: Tensor) -> Tensor:
    """Maps of a picture and of its mirror image, (2, C, h, w), averaged in place: (C, h, w)."""
    return (maps[0] + maps[1].flip(-1)) / 2


def resize(picture: np.ndarray, height: int, width: int) -> np.ndarray:
    """Resize (H, W[, 3]): area averaging when shrinking, else bilinear."""
    shrinks = height * width < picture.shape[0] * picture.shape[1]
    way = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return cv2.resize(picture, (width, height), interpolation=way)


def fit(picture: np.ndarray, side: int, multiple: int = 1) -> np.ndarray:
    """Resize to a long side of `side` px, both sides rounded to a multiple (at least one)."""
    scale = side / max(picture.shape[:2]) / multiple
    height, width = (max(1, round(n * scale)) * multiple for n in picture.shape[:2])
    return resize(picture, height, width)


def upsample(maps: Tensor, size: tuple[int, int]) -> Tensor:
    """(C, h, w) -> (C, *size), bilinear."""
    return F.interpolate(maps[None], size=size, mode="bilinear", align_corners=False)[0]


def grab_cut(picture: np.ndarray, heat: np.ndarray, level: float, core: float = 0.5) -> np.ndarray:
    """GrabCut mask, bool (H, W), of the region where heat > level.

    The hottest share `core` of the region is surely object and the colder half of the rest surely
    background; what lies between is decided by colour.
    """
    hot = heat > level
    if hot.all() or not hot.any():
        return hot
    seeds = np.where(hot, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
    seeds[heat > np.quantile(heat[hot], 1 - core)] = cv2.GC_FGD
    seeds[heat < np.median(heat[~hot])] = cv2.GC_BGD
    return grown(picture, seeds, iterations=3)


def find_faces(picture: np.ndarray) -> list[tuple[float, float, float]]:
    """Frontal faces of skin colour as (row, column, size) of their centre, in px.

    scikit-image's cascade of local binary patterns; what it finds besides faces is rarely skin.
    """
    large = fit(picture, 384)
    ycrcb = cv2.cvtColor(large, cv2.COLOR_RGB2YCrCb)
    skin = cv2.inRange(ycrcb, (40, 135, 77), (255, 180, 127)) > 0
    cascade = Cascade(lbp_frontal_face_cascade_filename())
    found = cascade.detect_multi_scale(
        large, scale_factor=1.2, step_ratio=1, min_size=(24, 24), max_size=large.shape[:2]
    )
    scale, faces = len(picture) / len(large), []
    for box in found:
        row, column, size = box["r"], box["c"], box["width"]
        if skin[row : row + size, column : column + size].mean() > 0.4:
            faces.append(tuple(scale * n for n in (row + size / 2, column + size / 2, size)))
    return faces


def person_mask(picture: np.ndarray, phrase: str) -> np.ndarray | None:
    """Mask of the people or faces that the phrase names, bool (H, W); None if there are none.

    People are no ImageNet class: a face is an ellipse around what the face detector finds, a
    person that with the hair, and shoulders and body below; GrabCut finds the outline.
    """
    noun = nested_phrases(phrase)[2]
    faces = find_faces(picture) if noun in FACE_WORDS | PERSON_WORDS else []
    if not faces:
        return None
    rows, columns = np.indices(picture.shape[:2])
    heat = np.full(picture.shape[:2], -np.inf)
    for row, column, size in faces:
        y, x = (rows - row) / size, (columns - column) / size
        head = 1 - np.hypot(x / 0.48, (y - 0.03) / 0.62)
        if noun in PERSON_WORDS:
            head = 1 - np.hypot(x / 0.75, (y + 0.1) / 0.95)
            body = np.minimum(1 - np.abs(x) / np.clip(y, 0.6, 1.6), (y - 0.7) * 2)
            head = np.maximum(head, body)
        heat = np.maximum(heat, head)
    reach = -0.25 if noun in FACE_WORDS else -1.0  # hair is not the face; arms reach far
    return grab_cut(picture, heat, 0) & (heat > reach)


def overlap(a: np.ndarray, b: np.ndarray) -> float:
    """Intersection over union of two bool masks, of which one is not empty."""
    return (a & b).sum() / (a | b).sum()


def stability(masks: list[np.ndarray]) -> np.ndarray:
    """Mean overlap of each of N nested masks with its neighbours in the list, (N,) in [0, 1]."""
    steps = [overlap(a, b) for a, b in pairwise(masks)]
    steps = [steps[0], *steps, steps[-1]]
    return (np.array(steps[:-1]) + np.array(steps[1:])) / 2


def contrast(heat: np.ndarray, mask: np.ndarray) -> float:
    """Mean heat inside the mask minus outside."""
    return heat[mask].mean() - heat[~mask].mean()


def edges(picture: np.ndarray) -> np.ndarray:
    """Length of the gradient of the Lab colour, float32 (H, W)."""
    lab = cv2.cvtColor(picture, cv2.COLOR_RGB2LAB).astype(np.float32)
    return np.linalg.norm(np.hypot(cv2.Sobel(lab, -1, 1, 0), cv2.Sobel(lab, -1, 0, 1)), axis=-1)


def along_outline(values: np.ndarray, mask: np.ndarray) -> float:
    """Mean of the values (H, W) along the outline of the mask, which has one."""
    outline = cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_GRADIENT, np.ones((3, 3)))
    return values[outline > 0].mean()


def isolate(picture: np.ndarray, mask: np.ndarray, side: int, margin: float = 0.15) -> np.ndarray:
    """The masked object on the blurred picture, cut out as a square of `side` px with a margin."""
    blurred = cv2.GaussianBlur(picture, (0, 0), max(mask.shape) / 12)
    alone = np.where(mask[..., None], picture, blurred)
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    extent = max(np.ptp(rows), np.ptp(columns)) + 1
    scale = side / (extent * (1 + 2 * margin))
    x, y = (columns[0] + columns[-1] + 1) / 2, (rows[0] + rows[-1] + 1) / 2
    window = np.float32([[scale, 0, side / 2 - x * scale], [0, scale, side / 2 - y * scale]])
    return cv2.warpAffine(
        alone, window, (side, side), flags=cv2.INTER_AREA, borderMode=cv2.BORDER_REPLICATE
    )


class BridgeSegmenter(Segmenter):
    """Masks from embedded models only, about 5 s a picture on a CPU.

    scales: long sides, in px, at which the classifier sees the picture.
    temperature: of the cosine between phrase and class name; greater lets remoter classes in.
    name_ridge: ridge of the regression from class names to classifier weights.
    picture_ridge: ridge of the regression from the picture's features to the heat; greater trusts
        the picture more and the classifier less.
    position: weight of a pixel's position among those features.
    areas: fractions of the picture at which the heat is cut into seeds for GrabCut.
    cores: shares of the seeded region that GrabCut must keep; each gives one mask an area.
    temper: of the vote of the masks; smaller leaves the word to the best ones.
    side: long side, in px, at which GrabCut works.
    presence: least evidence (see `heat`) that the phrase is in the picture. Chosen on 33
        phrases x 16 pictures, before mirror images were averaged in: none of 24 that are there was
        refused, one in five of 464 that are not was accepted. The least evidence of what is there,
        the horse in a painting, is -1.17 since; a small object in clutter can be refused.
    """

    def __init__(
        self,
        scales: tuple[int, ...] = (256, 320, 384, 512, 640),
        temperature: float = 0.15,
        name_ridge: float = 3.0,
        picture_ridge: float = 0.2,
        position: float = 0.3,
        areas: tuple[float, ...] = AREAS,
        cores: tuple[float, ...] = (0.5, 0.3),
        temper: float = 0.7,
        side: int = 256,
        presence: float = -1.25,
    ) -> None:
        self.scales = scales
        self.temperature = temperature
        self.name_ridge = name_ridge
        self.picture_ridge = picture_ridge
        self.position = position
        self.areas = areas
        self.cores = cores
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
            return torch.ones(height, width)
        picture = (content.clamp(0, 1) * 255).round().byte().permute(1, 2, 0).cpu().numpy()
        small = fit(picture, self.side)
        mask = person_mask(small, phrase)
        if mask is None:
            mask = stuff_mask(small, nested_phrases(phrase)[2])
        if mask is None:
            nearness = self.nearness(phrase)
            heat, evidence = self.heat(picture, nearness)
            if evidence < self.presence:
                raise AtelierError(
                    f'"{phrase}" was not found in the picture; '
                    "try another phrase or give --mask FILE"
                )
            mask = self.cut(small, heat, nearness)
        return torch.from_numpy(resize(mask.astype(np.float32), height, width))

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

    def heat(self, picture: np.ndarray, nearness: Tensor) -> tuple[Tensor, float]:
        """Standardised heat of the phrase, about (96, 96), and the evidence that it is present.

        The evidence is the sum of both readings' peaks, averaged over the scales. All is averaged
        over the picture and its mirror image.
        """
        network = efficientnet_lite0()
        scorer = nearness @ phrase_regression(self.name_ridge)
        size = fit(picture[..., 0], 96).shape
        readings, peaks = [], []
        for side in self.scales:
            features = network.forward_features(both_ways(fit(picture, side, 32)))
            cells = features.permute(0, 2, 3, 1)
            maps = torch.stack([cells @ scorer, self.log_odds(cells, nearness)], 1)
            readings.append(standardize(upsample(fold(maps), size)))
            peaks.append(maps.amax((2, 3)).sum(1).mean().item())
        coarse = standardize(standardize(sum(readings)).sum(0))
        heat = coarse + 2 * standardize(self.aligned(coarse, picture))
        return heat, sum(peaks) / len(peaks)

    def aligned(self, heat: Tensor, picture: np.ndarray) -> Tensor:
        """The heat (h, w) as far as the picture's own features explain it, (h, w)."""
        columns = [*hypercolumns(picture, heat.shape), self.position * positions(heat.shape)]
        x = torch.cat([*columns, torch.ones(1, *heat.shape)]).flatten(1)
        ridge = self.picture_ridge * torch.eye(len(x))
        weights = torch.linalg.solve(x @ x.T / x.shape[1] + ridge, x @ heat.flatten() / x.shape[1])
        return (weights @ x).view_as(heat)

    def cut(self, picture: np.ndarray, heat: Tensor, nearness: Tensor) -> np.ndarray:
        """The vote of the GrabCut masks that start from the heat's levels, bool (H, W)."""
        warm = resize(heat.numpy(), *picture.shape[:2])
        levels = np.quantile(warm, 1 - np.array(self.areas))
        masks, stabilities = [], []
        for core in self.cores:
            nested = [grab_cut(picture, warm, level, core) for level in levels]
            nested = [mask for mask in nested if mask.any() and not mask.all()]
            if len(nested) > 1:
                masks += nested
                stabilities += list(stability(nested))
        if not masks:
            return warm > 0
        steady = standardize(torch.tensor(np.array(stabilities)).float()[None])[0]
        scores = steady + self.score(picture, warm, masks, nearness)
        votes = torch.softmax(scores / self.temper, 0).numpy()
        elected = np.tensordot(votes, np.array(masks), 1) > 0.5
        return elected if elected.any() else masks[int(scores.argmax())]

    def score(
        self, picture: np.ndarray, heat: np.ndarray, masks: list[np.ndarray], nearness: Tensor
    ) -> Tensor:
        """How well each of N masks fits the heat, the picture's edges and the phrase, (N,).

        Contrast alone prefers tiny masks; the correlation with the heat prefers those of its size.
        """
        steep, network = edges(picture), efficientnet_lite0()
        criteria = [
            torch.tensor([float(contrast(heat, mask)) for mask in masks]),
            torch.tensor([float(np.corrcoef(heat.ravel(), m.ravel())[0, 1]) for m in masks]),
            torch.tensor([float(along_outline(steep, mask)) for mask in masks]),
        ]
        alone = network_input([isolate(picture, mask, 160) for mask in masks])
        features = network.forward_head(network.forward_features(alone), pre_logits=True)
        criteria.append(self.log_odds(features, nearness))
        return 0.5 * standardize(torch.stack(criteria).unsqueeze(1))[:, 0].sum(0)


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
