"""Words of colour choose among several objects: "the red cup", where there is a blue one too.

They choose whole pieces of a mask, not pixels: a blue bus has a white roof and black windows.
"""

from __future__ import annotations

import cv2
import numpy as np

COLORS = {
    "red": (210, 35, 35),
    "orange": (240, 140, 30),
    "yellow": (240, 220, 40),
    "green": (40, 150, 60),
    "blue": (40, 80, 200),
    "purple": (130, 50, 160),
    "pink": (250, 150, 180),
    "brown": (120, 75, 40),
    "black": (15, 15, 15),
    "white": (250, 250, 250),
    "grey": (128, 128, 128),
}
RIVAL = 0.25  # share of the largest piece's area from which another one competes
FAR = 0.5  # share of the best piece's colour below which another one is dropped


def suited(picture: np.ndarray, mask: np.ndarray, phrase: str) -> np.ndarray:
    """The mask, bool (H, W), less its large pieces that lack the phrase's colour.

    picture: uint8 (H, W, 3). A phrase without a word of colour, or a mask in one piece, changes
    nothing.
    """
    words = phrase.lower().replace("gray", "grey").split()
    named = [list(COLORS).index(word) for word in words if word in COLORS]
    count, pieces, measures, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8))
    if not named or count < 3:
        return mask
    nearest = distances(picture).argmin(-1)
    share = np.array([(nearest[pieces == k] == named[0]).mean() for k in range(count)])
    areas = measures[:, cv2.CC_STAT_AREA].copy()
    areas[0] = 0  # what is no piece
    rivals = areas >= RIVAL * areas.max()
    dropped = rivals & (share < FAR * share[rivals].max())
    return mask & ~dropped[pieces]


def distances(picture: np.ndarray) -> np.ndarray:
    """From each pixel's colour to each of COLORS in Lab, (H, W, 11)."""
    known = np.uint8([list(COLORS.values())])
    places = [cv2.cvtColor(p, cv2.COLOR_RGB2LAB).astype(np.float32) for p in (picture, known)]
    return np.linalg.norm(places[0][:, :, None] - places[1], axis=-1)
