"""GrabCut (Rother, Kolmogorov and Blake 2004) by OpenCV, with the same result at every call."""

from __future__ import annotations

import cv2
import numpy as np


def grow(picture: np.ndarray, seeds: np.ndarray, iterations: int) -> np.ndarray:
    """Grow seeds along the colours of a picture, uint8 (H, W, 3), to an object mask, bool (H, W).

    seeds: uint8 (H, W) of cv2.GC_FGD, GC_BGD, GC_PR_FGD and GC_PR_BGD; overwritten.
    """
    cv2.setRNGSeed(0)  # the colour models start from k-means, which draws random centres
    background, foreground = np.zeros((1, 65)), np.zeros((1, 65))  # OpenCV's work space
    mode = cv2.GC_INIT_WITH_MASK
    cv2.grabCut(picture, seeds, None, background, foreground, iterations, mode)
    return (seeds == cv2.GC_FGD) | (seeds == cv2.GC_PR_FGD)


def grab_cut(picture: np.ndarray, heat: np.ndarray, level: float, core: float = 0.5) -> np.ndarray:
    """GrabCut mask, bool (H, W), seeded by the region where the heat (H, W) exceeds a level.

    The hottest share `core` of the region is certainly object, and the colder half of the rest of
    the picture certainly background; colour decides in between.
    """
    hot = heat > level
    if hot.all() or not hot.any():
        return hot
    seeds = np.where(hot, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
    seeds[heat > np.quantile(heat[hot], 1 - core)] = cv2.GC_FGD
    seeds[heat < np.median(heat[~hot])] = cv2.GC_BGD
    return grow(picture, seeds, iterations=3)
