"""Choice among the pieces of a mask by a word of colour: "the red cup" beside a blue one.

Whole pieces are chosen, not pixels: a blue bus has a white roof and black windows.
"""

from __future__ import annotations

import cv2
import numpy as np

from datamodules.vocabulary import COLORS, normalized

RIVAL = 0.25  # share of the largest piece's area from which a piece competes; less is a detail
FAR = 0.5  # share of the best piece's colour below which a competing piece is dropped


def pieces_of_color(picture: np.ndarray, mask: np.ndarray, phrase: str) -> np.ndarray:
    """Mask, bool (H, W), without its large pieces that lack the phrase's first word of colour.

    picture: uint8 (H, W, 3). A phrase without a word of colour and a mask of one piece leave the
    mask as it is.
    """
    colors = [list(COLORS).index(word) for word in normalized(phrase).split() if word in COLORS]
    count, pieces, measures, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8))
    if not colors or count < 3:  # the background counts as a piece
        return mask
    nearest = color_distances(picture).argmin(-1)
    share = np.array([(nearest[pieces == k] == colors[0]).mean() for k in range(count)])
    areas = measures[:, cv2.CC_STAT_AREA].copy()
    areas[0] = 0  # the background
    rivals = areas >= RIVAL * areas.max()
    dropped = rivals & (share < FAR * share[rivals].max())
    return mask & ~dropped[pieces]


def color_distances(picture: np.ndarray) -> np.ndarray:
    """Distances in Lab of the pixels of a picture (H, W, 3) to each of COLORS, (H, W, 11)."""
    colors = np.uint8([list(COLORS.values())])
    pixels, targets = (
        cv2.cvtColor(values, cv2.COLOR_RGB2LAB).astype(np.float32) for values in (picture, colors)
    )
    return np.linalg.norm(pixels[:, :, None] - targets, axis=-1)
