"""GrabCut (Rother, Kolmogorov and Blake 2004) by OpenCV, the same at every call."""

from __future__ import annotations

import cv2
import numpy as np


def grown(picture: np.ndarray, seeds: np.ndarray, iterations: int) -> np.ndarray:
    """Object mask, bool (H, W), that the colours of a picture, uint8 (H, W, 3), make of the seeds.

    seeds: uint8 (H, W) of cv2.GC_FGD, GC_BGD, GC_PR_FGD and GC_PR_BGD; overwritten.
    """
    cv2.setRNGSeed(0)  # its colour models start from k-means
    background, foreground = np.zeros((1, 65)), np.zeros((1, 65))
    how = cv2.GC_INIT_WITH_MASK
    cv2.grabCut(picture, seeds, None, background, foreground, iterations, how)
    return (seeds == cv2.GC_FGD) | (seeds == cv2.GC_PR_FGD)


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
