"""Sky, ground and background: regions without a shape, which no class of objects names.

Sky and ground are found by where they lie: the sky from the upper edge of the picture down, water
or grass from the lower edge up. A smooth strip along that edge gives GrabCut the colours; what
remains connected with the edge is the mask. The background is what does not stand out.
"""

from __future__ import annotations

import cv2
import numpy as np

from datamodules.segmentation.cues.saliency import salient
from datamodules.segmentation.operations.grabcut import grown

BEHIND = {"background", "backdrop"}
ABOVE = {"sky", "skies"}
BELOW = {"sea", "ocean", "water", "lake", "river", "pond", "grass", "lawn", "meadow", "sand"}
STRIP, REACH, FAR = 0.06, 0.6, 0.12  # of the height: surely it, perhaps it, surely not it


def stuff_mask(picture: np.ndarray, noun: str) -> np.ndarray | None:
    """Mask of the sky, the ground or the background, bool (H, W), in a picture, uint8 (H, W, 3).

    None if the noun names none of them, or nothing lies there.
    """
    if noun in BEHIND:
        mask = salient(picture, (0, 0, *picture.shape[:2])) < 0.5
        return mask if mask.any() and not mask.all() else None
    if noun in ABOVE:
        return _from_above(picture)
    if noun in BELOW:
        upside_down = np.ascontiguousarray(picture[::-1])
        mask = _from_above(upside_down)
        return None if mask is None else mask[::-1].copy()
    return None


def _from_above(picture: np.ndarray) -> np.ndarray | None:
    height = len(picture)
    share = np.linspace(0, 1, height)[:, None] + np.zeros(picture.shape[:2])
    seeds = np.where(share < REACH, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
    seeds[_rough(picture)] = cv2.GC_PR_BGD
    seeds[(share < STRIP) & ~_rough(picture)] = cv2.GC_FGD
    seeds[share > 1 - FAR] = cv2.GC_BGD
    if not (seeds == cv2.GC_FGD).any():
        return None
    mask = grown(picture, seeds, iterations=4)
    _, pieces = cv2.connectedComponents(mask.astype(np.uint8))
    edge = np.unique(pieces[: max(1, round(STRIP * height))])
    mask = np.isin(pieces, edge[edge > 0])
    return mask if mask.any() else None


def _rough(picture: np.ndarray) -> np.ndarray:
    """Where the picture has texture or edges, bool (H, W)."""
    grey = cv2.GaussianBlur(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), (0, 0), 1.5).astype(float)
    slope = np.hypot(cv2.Sobel(grey, -1, 1, 0), cv2.Sobel(grey, -1, 0, 1))
    return cv2.dilate((slope > 40).astype(np.uint8), np.ones((3, 3))) > 0
