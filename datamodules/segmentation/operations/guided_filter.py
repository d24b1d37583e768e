"""Guided filter (He, Sun and Tang 2010): a mask whose edges follow those of a picture."""

from __future__ import annotations

import cv2
import numpy as np


def guided_filter(guide: np.ndarray, mask: np.ndarray, radius: int, eps: float) -> np.ndarray:
    """Filter a mask by linear functions of the guide's colours, fitted in sliding windows.

    The function of a window is the ridge regression of the mask on the colours; each pixel gets
    the mean of the functions of all windows that contain it (equations 5, 6 and 8 of the paper).

    Args:
        guide: picture (H, W, 3) in [0, 1].
        mask: (H, W) in [0, 1].
        radius: reach of a window to each side of its pixel, in px; windows end at the border.
        eps: ridge; edges whose variance is well above it stay, weaker ones are smoothed away.

    Returns float64 (H, W), which can exceed the range of the mask slightly.
    """
    guide, mask = guide.astype(np.float64), mask.astype(np.float64)[..., None]
    count = _window_sums(np.ones_like(mask), radius)

    def mean(values: np.ndarray) -> np.ndarray:
        return _window_sums(values, radius) / count

    colour, level = mean(guide), mean(mask)
    products = mean((guide[..., :, None] * guide[..., None, :]).reshape(*guide.shape[:2], 9))
    covariance = products.reshape(*guide.shape, 3) - colour[..., :, None] * colour[..., None, :]
    shared = mean(guide * mask) - colour * level
    slope = np.linalg.solve(covariance + eps * np.eye(3), shared[..., None])[..., 0]
    offset = level - (slope * colour).sum(-1, keepdims=True)
    return (mean(slope) * guide).sum(-1) + mean(offset)[..., 0]


def _window_sums(values: np.ndarray, radius: int) -> np.ndarray:
    """Sum (H, W, C) over the window around each pixel: (H, W, C)."""
    side = (2 * radius + 1, 2 * radius + 1)
    # Zeros beyond the border add nothing to a sum; a mean (`normalize`) would count them.
    sums = cv2.boxFilter(values, -1, side, normalize=False, borderType=cv2.BORDER_CONSTANT)
    return sums.reshape(values.shape)  # OpenCV drops the axis of a single channel
