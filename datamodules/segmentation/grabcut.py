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
