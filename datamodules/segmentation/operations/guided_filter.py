"""The guided filter (He, Sun and Tang 2010): a mask whose edges follow a picture's."""

from __future__ import annotations

import cv2
import numpy as np


def guided_filter(guide: np.ndarray, mask: np.ndarray, radius: int, eps: float) -> np.ndarray:
    """The mask as, in each window, the linear function of the guide's colours that is nearest it.

    guide: (H, W, 3) in [0, 1]; mask: (H, W). Windows reach `radius` px to each side of a pixel and
    end where the picture does. eps: ridge of the linear functions; edges of a variance well above
    it are kept, those below are smoothed over. Each pixel is the mean of its windows' functions.
    Returns float64 (H, W), which can leave the mask's range a little.
    """
    guide, mask = guide.astype(np.float64), mask.astype(np.float64)[..., None]
    count = _sums(np.ones_like(mask), radius)

    def mean(values: np.ndarray) -> np.ndarray:
        return _sums(values, radius) / count

    colour, level = mean(guide), mean(mask)
    products = mean((guide[..., :, None] * guide[..., None, :]).reshape(*guide.shape[:2], 9))
    covariance = products.reshape(*guide.shape, 3) - colour[..., :, None] * colour[..., None, :]
    shared = mean(guide * mask) - colour * level
    slope = np.linalg.solve(covariance + eps * np.eye(3), shared[..., None])[..., 0]
    offset = level - (slope * colour).sum(-1, keepdims=True)
    return (mean(slope) * guide).sum(-1) + mean(offset)[..., 0]


def _sums(values: np.ndarray, radius: int) -> np.ndarray:
    """Over the window around each pixel, (H, W, C) -> (H, W, C)."""
    side = (2 * radius + 1, 2 * radius + 1)
    # Zeros beyond the picture add nothing; `normalize` would count them.
    sums = cv2.boxFilter(values, -1, side, normalize=False, borderType=cv2.BORDER_CONSTANT)
    return sums.reshape(values.shape)  # OpenCV drops a single channel's axis
