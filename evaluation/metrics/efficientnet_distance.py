"""A perceptual distance on the embedded EfficientNet-Lite0, in place of LPIPS without its networks.

It is the uncalibrated distance of Zhang et al. 2018 (eq. 1 with all weights equal): squared
differences of unit channel vectors, averaged over the pixels. **It is no LPIPS**: another network,
no weights trained on people's judgements, a mean over layers instead of a sum. So it has a name of
its own, and its numbers compare only with one another.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from torch import Tensor

from evaluation.metrics import scores as declared
from evaluation.metrics.background import BAND
from evaluation.metrics.base import PictureMetric, Pictures
from evaluation.metrics.lpips import unit_channels
from evaluation.metrics.perceptual import PairDistance, whole_and_background
from lightning_modules.perceptual.efficientnet import EfficientNetFeatures

BLOCKS = (0, 2, 4, 7, 10)  # strides 2, 4, 8, 16, 16: two steps of depth in the last resolution


def feature_distance(a: Sequence[Tensor], b: Sequence[Tensor]) -> Tensor:
    """Mean squared distance (N,) in [0, 4] of unit channel vectors, mean over pixels and layers.

    a, b: maps (N, C_l, H_l, W_l) per layer.
    """
    layers = [
        (unit_channels(x) - unit_channels(y)).square().sum(1).mean((1, 2))
        for x, y in zip(a, b, strict=True)
    ]
    return (sum(layers) / len(layers)).clamp(max=declared.MOST_LITE0)


class EfficientNetDistance(PairDistance):
    """Distance of pictures in the blocks of EfficientNet-Lite0."""

    identity = "lite0"

    def __init__(self) -> None:
        super().__init__()
        self.features = EfficientNetFeatures(BLOCKS)

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        return feature_distance(self.features(a), self.features(b))


class Lite0Distance(PictureMetric):
    """Embedded perceptual distance between output and content, of the whole picture and of the
    background alone.

    Args:
        band: width in pixels of the boundary that does not count as background.
    """

    scores: ClassVar = declared.LITE0_DISTANCE
    reads_objects = True

    def __init__(self, band: int = BAND) -> None:
        super().__init__()  # its one network is in the scores' names
        self.distance, self.band = EfficientNetDistance(), band

    def score(self, pictures: Pictures) -> dict[str, Tensor]:
        whole, background = whole_and_background(self.distance, pictures, self.band)
        return {"lite0_distance": whole, "background_lite0_distance": background}
