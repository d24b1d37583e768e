"""Sky, ground and background: regions without a shape, which no class of objects names.

The sky reaches from the upper edge of the picture down, water or grass from the lower edge up. A
smooth strip along that edge gives GrabCut the colours, and the region connected with the edge is
the mask. The background is the part that is not salient.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from datamodules.segmentation.cues.base import Cue, Finding
from datamodules.segmentation.cues.scene import Scene
from datamodules.segmentation.operations.grabcut import grow
from datamodules.segmentation.operations.phrases import noun
from datamodules.vocabulary import BACKDROPS, GROUNDS, SKIES

ITERATIONS = 4  # of GrabCut: colours must spread from a narrow strip over half of the picture
BLUR = 1.5  # px; deviation of the blur that removes noise before slopes are measured
STEEP = 40  # slope (Sobel) of 8-bit grey values from which a place has texture or an edge


@dataclass(frozen=True)
class Stuff(Cue):
    """Cue for sky, ground and background.

    Args:
        confidence: confidence in each mask, in [0, 1]: the mean IoU measured on sky and ground.
        strip: share of the height, from the edge, that certainly belongs to the region.
        reach: share of the height, from the edge, that may belong to it.
        far: share of the height, at the opposite edge, that certainly does not belong to it.
    """

    confidence: float = 0.8
    strip: float = 0.06
    reach: float = 0.6
    far: float = 0.12

    def find(self, scene: Scene, phrase: str) -> Finding | None:
        name, mask = noun(phrase), None
        if name in BACKDROPS:
            mask = scene.saliency < 0.5
            mask = None if mask.all() else mask
        elif name in SKIES:
            mask = self.from_above(scene.small)
        elif name in GROUNDS:
            mask = self.from_above(np.ascontiguousarray(scene.small[::-1]))[::-1].copy()
        return Finding(mask, self.confidence) if mask is not None and mask.any() else None

    def from_above(self, picture: np.ndarray) -> np.ndarray:
        """Region, bool (H, W), along the upper edge of a picture, uint8 (H, W, 3); may be empty."""
        height = len(picture)
        depth = np.linspace(0, 1, height)[:, None] + np.zeros(picture.shape[:2])
        rough = _rough(picture)
        seeds = np.where(depth < self.reach, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
        seeds[rough] = cv2.GC_PR_BGD
        seeds[(depth < self.strip) & ~rough] = cv2.GC_FGD
        seeds[depth > 1 - self.far] = cv2.GC_BGD
        if not (seeds == cv2.GC_FGD).any():
            return np.zeros(picture.shape[:2], bool)
        mask = grow(picture, seeds, ITERATIONS)
        _, pieces = cv2.connectedComponents(mask.astype(np.uint8))
        edge = np.unique(pieces[: max(1, round(self.strip * height))])
        return np.isin(pieces, edge[edge > 0])


def _rough(picture: np.ndarray) -> np.ndarray:
    """Texture and edges of a picture, bool (H, W), widened by a pixel."""
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    smooth = cv2.GaussianBlur(grey, (0, 0), BLUR).astype(float)
    slope = np.hypot(cv2.Sobel(smooth, -1, 1, 0), cv2.Sobel(smooth, -1, 0, 1))
    return cv2.dilate((slope > STEEP).astype(np.uint8), np.ones((3, 3))) > 0
