"""Sky, ground, foliage and background: regions without a shape, which no class of objects names.

The sky reaches from the upper edge of the picture down, water or grass from the lower edge up
(`operations/backdrops.py`). Leaves are known by their colour. The background is the part that is
neither salient nor the surest thing in the picture.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np

from datamodules.segmentation.cues.base import Cue, Finding
from datamodules.segmentation.cues.classes import Classes
from datamodules.segmentation.cues.scene import Scene
from datamodules.segmentation.operations.backdrops import from_above, texture_in
from datamodules.segmentation.operations.confidence import WEIGHTS
from datamodules.segmentation.operations.phrases import noun
from datamodules.segmentation.operations.voting import edges, overlaps
from datamodules.vocabulary import BACKDROPS, FOLIAGE, LANDS, SKIES, WATERS

# Leaves from yellow to blue-green, in OpenCV's HSV, and not grey or black.
LEAVES = (20, 50, 25), (90, 255, 255)
SPECKS = 7  # px; window of the median that removes specks of such colours
SAME = 0.5  # overlap (IoU) from which two masks are of one object
FEW = 0.03  # share of the picture below which leaves are no object


@dataclass(frozen=True)
class Stuff(Cue):
    """Cue for sky, ground, foliage and background.

    Args:
        confidence: confidence in a background, in [0, 1].
        guess: confidence in leaves and in ground that is not water, which nothing tells from other
            places of their colours.
        sky: how much texture and a wide range of colours count against a region as sky.
        ground: the same for ground, which is rougher.
        front: finds the thing before a background.
    """

    confidence: float = 0.8
    guess: float = 0.35
    sky: tuple[float, float] = (10.0, 1.0)
    ground: tuple[float, float] = (1.0, 3.0)
    front: Cue = field(default_factory=Classes)

    def find(self, scene: Scene, phrase: str) -> Finding | None:
        name, kind, mask = noun(phrase), "", None
        if name in BACKDROPS:
            mask = self.behind(scene)
        elif name in SKIES:
            kind, mask = "sky", from_above(scene.small, *self.sky)
        elif name in WATERS | LANDS:
            upside_down = np.ascontiguousarray(scene.small[::-1])
            kind = "water" if name in WATERS else ""
            mask = from_above(upside_down, *self.ground)[::-1].copy()
        elif name in FOLIAGE:
            mask = _leaves(scene.small)
        if mask is None or not mask.any():
            return None
        if kind:
            return Finding.by_signs(mask, kind, self.signs(scene, phrase, mask, kind))
        return Finding(mask, self.confidence if name in BACKDROPS else self.guess)

    def signs(self, scene: Scene, phrase: str, mask: np.ndarray, kind: str) -> dict[str, float]:
        """Signs (`operations.confidence`) of a mask, bool (H, W), that it is sky or water."""
        lab = cv2.cvtColor(scene.small, cv2.COLOR_RGB2LAB).astype(np.float32)
        every = {
            "warmth": float(lab[..., 2][mask].mean()) - 128,
            "texture": texture_in(mask, edges(scene.small)),
            "evidence": scene.reading(phrase).evidence,
        }
        return {name: every[name] for name in WEIGHTS[kind] if name in every}

    def behind(self, scene: Scene) -> np.ndarray | None:
        """Everything but the salient object, bool (H, W); None if nothing is salient.

        Where the surest thing in the picture is that object, both masks of it are left out: what
        is in front must not be taken for background.
        """
        salient = scene.saliency >= 0.5
        if not salient.any():
            return None
        for name in scene.surest[:1]:
            thing = self.front.find(scene, name)
            if thing and overlaps(np.array([salient, thing.mask]))[0, 1] > SAME:
                salient |= thing.mask
        return ~salient


def _leaves(picture: np.ndarray) -> np.ndarray:
    """Places with the colours of leaves, bool (H, W); none if they are few."""
    hsv = cv2.cvtColor(cv2.GaussianBlur(picture, (0, 0), 1.5), cv2.COLOR_RGB2HSV)
    mask = cv2.medianBlur(cv2.inRange(hsv, *LEAVES), SPECKS) > 0
    return mask if mask.mean() >= FEW else np.zeros_like(mask)
