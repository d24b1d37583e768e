"""DISTS: distance of two pictures in texture and structure (Ding et al. 2020).

D(x, y) = 1 - sum over layers i and channels j of alpha_ij l_ij + beta_ij s_ij, where l compares the
spatial means of a channel and s its variance, as in SSIM:
    l = (2 mx my + c) / (mx^2 + my^2 + c),  s = (2 cov + c) / (vx + vy + c),  c = 1e-6.
Layers are the picture itself and VGG-16's relu1_2, 2_2, 3_3, 4_3 and 5_3, with max pooling replaced
by an L2 pooling of Hann windows; alpha and beta are the authors' trained ones.

**Pinned: torchmetrics' reading, at the pictures' own size.** piq computes the same formula, but
first scales pictures whose short side exceeds 256 px down to that (bilinear, without antialiasing),
as the authors' demo does with antialiasing. Up to 256 px all agree; larger pictures lose fine
texture when scaled down, so that their distances can be several times smaller. piq's reading is
the score `piq_dists` (`piq_distances`).

The covariance is computed from centred maps: the same number as torchmetrics' mean(xy) - mx my, but
without the cancellation that gives flat pictures a distance from themselves (0.004 with random
features).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from datamodules.models.embedded_networks import imagenet_input
from evaluation.metrics import scores as declared
from evaluation.metrics.background import BAND
from evaluation.metrics.base import PictureMetric, Pictures
from evaluation.metrics.perceptual import (
    PairDistance,
    Taps,
    backbone,
    other_weights,
    packaged,
    whole_and_background,
)

VGG16 = "torchvision:vgg16"
RELUS = (3, 8, 15, 22, 29)  # relu1_2, 2_2, 3_3, 4_3, 5_3 among VGG-16's layers
STABILITY = 1e-6  # c of the paper
TRAINED = (
    "dists_models/weights.pt",
    "f5e65c96230b7f6ca995691647d482237e4cab8a50c5c4a5784f219ef0748218",
)


def dists(a: Sequence[Tensor], b: Sequence[Tensor], alpha: Tensor, beta: Tensor) -> Tensor:
    """DISTS (N,) in [0, 1 + sum(beta)] of two lists of non-negative maps (N, C_i, H_i, W_i).

    alpha, beta: (sum of C_i,), >= 0, together 1.
    """
    channels = [maps.shape[1] for maps in a]
    similarity = a[0].new_zeros(len(a[0]))
    layers = zip(a, b, alpha.split(channels), beta.split(channels), strict=True)
    for x, y, texture, structure in layers:
        mean_x, mean_y = x.mean((2, 3)), y.mean((2, 3))
        x, y = x - mean_x[..., None, None], y - mean_y[..., None, None]
        var_x, var_y = x.square().mean((2, 3)), y.square().mean((2, 3))
        covariance = (x * y).mean((2, 3))
        means = (2 * mean_x * mean_y + STABILITY) / (mean_x**2 + mean_y**2 + STABILITY)
        variation = (2 * covariance + STABILITY) / (var_x + var_y + STABILITY)
        similarity = similarity + means @ texture + variation @ structure
    return (1 - similarity).clamp(min=0)


class L2Pooling(nn.Module):
    """Pooling to half the size: root mean square under a 3 x 3 Hann window (Ding et al. 2020)."""

    def __init__(self) -> None:
        super().__init__()
        window = torch.tensor([0.25, 0.5, 0.25])
        self.register_buffer("window", torch.outer(window, window)[None, None])

    def forward(self, x: Tensor) -> Tensor:
        channels = x.shape[1]
        window = self.window.expand(channels, 1, 3, 3)
        power = F.conv2d(x.square(), window, stride=2, padding=1, groups=channels)
        return (power + 1e-12).sqrt()


class DISTSDistance(PairDistance):
    """DISTS of pictures at their own size.

    Args:
        weights: "torchvision:vgg16", a file's path, or "untrained" for random weights (for timing).
    """

    def __init__(self, weights: str = VGG16) -> None:
        super().__init__()
        other = other_weights(weights, VGG16)
        self.identity = f"dists-{other}" if other else "dists"
        layers = backbone("vgg16", weights)
        pooled = (L2Pooling() if isinstance(layer, nn.MaxPool2d) else layer for layer in layers)
        self.taps = Taps(nn.Sequential(*pooled), RELUS)
        trained = packaged(*TRAINED)
        total = trained["alpha"].sum() + trained["beta"].sum()
        self.register_buffer("alpha", trained["alpha"].flatten() / total)
        self.register_buffer("beta", trained["beta"].flatten() / total)

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        maps_a = [a, *self.taps(imagenet_input(a))]
        maps_b = [b, *self.taps(imagenet_input(b))]
        return dists(maps_a, maps_b, self.alpha, self.beta)


class DISTS(PictureMetric):
    """DISTS between output and content, of the whole picture and of the background alone.

    Args:
        weights: "torchvision:vgg16", a file's path, or "untrained" for random weights (for timing).
        band: width in pixels of the boundary that does not count as background.
    """

    scores: ClassVar = declared.DISTS
    reads_objects = True

    def __init__(self, weights: str = VGG16, band: int = BAND) -> None:
        super().__init__(network=other_weights(weights, VGG16))
        self.distance, self.band = DISTSDistance(weights), band

    def score(self, pictures: Pictures) -> dict[str, Tensor]:
        whole, background = whole_and_background(self.distance, pictures, self.band)
        return {"dists": whole, "background_dists": background}
