"""No-reference quality that needs no weights: blur and noise, by scikit-image.

They measure what they are named after and nothing more: how beautiful a picture is takes a network
that has seen many opinions (NIMA).
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from torch import Tensor

from evaluation.metrics.base import PictureMetric, Pictures, Score


def blur(image: Tensor) -> float:
    """Blur of a picture (3, H, W) in [0, 1]; in [0, 1], 0 = sharp (Crete et al. 2007)."""
    from skimage.measure import blur_effect

    return float(blur_effect(_luma(image)))


def noise(image: Tensor) -> float:
    """Standard deviation of the Gaussian noise in a picture (3, H, W) in [0, 1], >= 0; estimated
    from the median of the finest wavelet coefficients, mean of the channels (Donoho and Johnstone
    1994).
    """
    from skimage.restoration import estimate_sigma

    return float(estimate_sigma(image.cpu().numpy(), channel_axis=0, average_sigmas=True))


def _luma(image: Tensor) -> np.ndarray:
    from skimage.color import rgb2gray

    return rgb2gray(image.cpu().numpy(), channel_axis=0)


class Quality(PictureMetric):
    """Blur and noise of the output, and of the content to compare with."""

    scores: ClassVar = {
        "blur": Score(False, 0, 1, "Crete et al. 2007, by scikit-image"),
        "blur_before": Score(None, 0, 1, "the same of the content image"),
        "noise": Score(False, 0, float("inf"), "Donoho and Johnstone 1994, by scikit-image"),
        "noise_before": Score(None, 0, float("inf"), "the same of the content image"),
    }

    def score(self, pictures: Pictures) -> dict[str, Tensor]:
        of = pictures.mask.new_tensor
        return {
            "blur": of([blur(image) for image in pictures.output]),
            "blur_before": of([blur(image) for image in pictures.content]),
            "noise": of([noise(image) for image in pictures.output]),
            "noise_before": of([noise(image) for image in pictures.content]),
        }
