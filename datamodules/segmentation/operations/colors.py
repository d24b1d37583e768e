"""Choice among the pieces of a mask by a word of colour: "the red cup" beside a blue one.

Whole pieces are chosen, not pixels: a blue bus has a white roof and black windows.
"""

from __future__ import annotations

import cv2
import numpy as np

from datamodules.vocabulary import COLORS, normalized

NEAR = 40  # pieces nearer than the picture's longer side divided by this are one piece
RIVAL = 0.25  # share of the largest piece's area from which a piece competes; less is a detail
FAR = 0.5  # share of the best piece's colour below which a competing piece is dropped


def pieces_of_color(picture: np.ndarray, mask: np.ndarray, phrase: str) -> np.ndarray:
    """Mask, bool (H, W), without its large pieces that lack the phrase's first word of colour.

    picture: uint8 (H, W, 3). A phrase without a word of colour and a mask of one piece leave the
    mask as it is.
    """
    colored, pieces = color_of(picture, phrase), _pieces(mask)
    count = pieces.max() + 1
    if colored is None or count < 3:  # the background counts as a piece
        return mask
    share = np.array([colored[pieces == k].mean() for k in range(count)])
    areas = np.bincount(pieces.ravel())
    areas[0] = 0  # the background
    rivals = areas >= RIVAL * areas.max()
    dropped = rivals & (share < FAR * share[rivals].max())
    return mask & ~dropped[pieces]


def color_of(picture: np.ndarray, phrase: str) -> np.ndarray | None:
    """Pixels of a picture (H, W, 3) in a phrase's first word of colour, bool (H, W); None without
    such a word.
    """
    words = [word for word in normalized(phrase).split() if word in COLORS]
    if not words:
        return None
    return color_distances(picture).argmin(-1) == list(COLORS).index(words[0])


def _pieces(mask: np.ndarray) -> np.ndarray:
    """Numbers of the pieces of a mask (H, W), those of one object near each other; 0 outside."""
    gap = max(mask.shape) // NEAR
    joined = cv2.dilate(mask.astype(np.uint8), np.ones((gap + 1, gap + 1), np.uint8))
    pieces = cv2.connectedComponents(joined)[1] * mask
    return np.unique(pieces, return_inverse=True)[1].reshape(mask.shape)


def color_distances(picture: np.ndarray) -> np.ndarray:
    """Distances in Lab of the pixels of a picture (H, W, 3) to each of COLORS, (H, W, 11)."""
    colors = np.uint8([list(COLORS.values())])
    pixels, targets = (
        cv2.cvtColor(values, cv2.COLOR_RGB2LAB).astype(np.float32) for values in (picture, colors)
    )
    return np.linalg.norm(pixels[:, :, None] - targets, axis=-1)
