"""One of several people without visible faces, by the side on which it stands.

Heads are the peaks in the outline of the salient region, which is cut between neighbouring heads
along the path of low saliency and strong edges.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter1d
from scipy.signal import find_peaks
from skimage.graph import route_through_array

from datamodules.segmentation.cues.base import Cue, Finding
from datamodules.segmentation.cues.scene import Scene
from datamodules.segmentation.operations.phrases import direction, noun
from datamodules.segmentation.operations.voting import edges
from datamodules.vocabulary import PEOPLE

SMOOTHING = 60  # deviation of the outline's smoothing: the picture's width divided by this
DISTANCE = 10  # least distance between two heads: the picture's width divided by this
PROMINENCE = 0.1  # least height of a head above the dip beside it, as a share of the highest head
COST = 0.05  # of a step along the cut where nothing is salient: prefers straight cuts
EDGE_RELIEF = 0.6  # share of the cost that a strong edge saves
STRONG = 98  # percentile of the edges from which an edge counts as strong
FREE = 1e-6  # cost of a step along the row below the picture, where the cut ends anywhere


@dataclass(frozen=True)
class Heads(Cue):
    """Cue for one of several people without visible faces, whose side the phrase names.

    Args:
        confidence: confidence in each mask, in [0, 1], where clothes are seen for sure; few such
            masks exist, so it is a guess.
        least: smallest share of the salient region that counts as a person.
    """

    confidence: float = 0.6
    least: float = 0.25

    def find(self, scene: Scene, phrase: str) -> Finding | None:
        if noun(phrase) not in PEOPLE or not scene.shows(phrase):
            return None
        mask = self.part(scene.small, scene.saliency, phrase)
        return None if mask is None else Finding(mask, self.confidence * scene.clothing)

    def part(self, picture: np.ndarray, saliency: np.ndarray, phrase: str) -> np.ndarray | None:
        """Person on the side that a phrase names, bool (H, W).

        None without a side to the left, to the right or in the middle, and with fewer than two
        heads.
        """
        towards, solid = direction(phrase), saliency > 0.5
        if towards is None or towards[1]:
            return None
        heads, outline = _heads(solid)
        if len(heads) < 2:
            return None
        side, middle = towards[0], (picture.shape[1] - 1) / 2
        k = int(np.argmax(side * heads) if side else np.argmin(np.abs(heads - middle)))
        cost, mask, columns = _cost(picture, saliency), solid.copy(), np.arange(solid.shape[1])
        if k:
            mask &= columns > _cut(cost, outline, heads[k - 1], heads[k])
        if k + 1 < len(heads):
            mask &= columns < _cut(cost, outline, heads[k], heads[k + 1])
        return mask if mask.sum() > self.least * solid.sum() else None


def _heads(solid: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Columns of the heads of a region, bool (H, W), and its smoothed height in each column."""
    height, width = solid.shape
    heights = np.where(solid.any(0), height - solid.argmax(0), 0).astype(float)
    outline = gaussian_filter1d(heights, width / SMOOTHING, mode="nearest")
    peaks, _ = find_peaks(
        np.pad(outline, 1),
        prominence=max(PROMINENCE * outline.max(), 1),
        distance=max(width / DISTANCE, 1),
    )
    return peaks - 1, outline


def _cost(picture: np.ndarray, saliency: np.ndarray) -> np.ndarray:
    """Cost of cutting through each pixel, (H, W)."""
    strength = edges(picture)
    relative = np.minimum(strength / np.percentile(strength, STRONG), 1)
    return COST + saliency * (1 - EDGE_RELIEF * relative)


def _cut(cost: np.ndarray, outline: np.ndarray, left: int, right: int) -> np.ndarray:
    """Column, per row (H, 1), of the cheapest path from top to bottom between two heads."""
    height = len(cost)
    between = np.pad(cost[:, left : right + 1], ((0, 1), (0, 0)), constant_values=FREE)
    start = int(outline[left : right + 1].argmin())
    path, _ = route_through_array(between, (0, start), (height, start), geometric=True)
    columns = dict(path)
    return np.array([[left + columns[row]] for row in range(height)])
