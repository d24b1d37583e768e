"""No-reference quality without weights: blur and noise, by scikit-image.

They measure blur and noise and nothing more: to rate beauty takes a network that was trained on
many opinions (NIMA).
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from torch import Tensor

from evaluation.metrics import scores as declared
from evaluation.metrics.base import PictureMetric, Pictures


def blur(image: Tensor) -> float:
    """Blur of a picture (3, H, W) in [0, 1]; in [0, 1], 0 = sharp (Crete et al. 2007)."""
    from skimage.measure import blur_effect

    return float(blur_effect(_luma(image)))


def noise(image: Tensor) -> float:
    """Standard deviation, >= 0, of the Gaussian noise in a picture (3, H, W) in [0, 1]: estimated
    from the median of the finest wavelet coefficients, mean of the channels (Donoho and Johnstone
    1994).
    """
    from skimage.restoration import estimate_sigma

    return float(estimate_sigma(image.cpu().numpy(), channel_axis=0, average_sigmas=True))


def _luma(image: Tensor) -> np.ndarray:
    from skimage.color import rgb2gray

    return rgb2gray(image.cpu().numpy(), channel_axis=0)


class Quality(PictureMetric):
    """Blur and noise of the output and, for comparison, of the content."""

    scores: ClassVar = declared.QUALITY

    def score(self, pictures: Pictures) -> dict[str, Tensor]:
        tensor = pictures.mask.new_tensor
        return {
            "blur": tensor([blur(image) for image in pictures.output]),
            "blur_before": tensor([blur(image) for image in pictures.content]),
            "noise": tensor([noise(image) for image in pictures.output]),
            "noise_before": tensor([noise(image) for image in pictures.content]),
        }
