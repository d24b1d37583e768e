"""Encoder and decoder of the attention network: the halves between which picture and text meet.

The decoder takes what attention gives for each position of the features: the mean and the standard
deviation of the values of a text's tokens there.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from datamodules.support.errors import AtelierError
from lightning_modules.generators.norms import instance_norm
from lightning_modules.generators.painter import arbitrary, bottleneck
from lightning_modules.perceptual.base import ContentFeatures

BLOCK = 4  # features to each side of a position of PainterHalves
PROBE = 64  # px, side of the picture by which channels and stride of features are found out


class Halves(nn.Module, ABC):
    """Encoder of content images, and decoder of their features in a style.

    Attributes:
        channels: of the features.
        width: of the values that `decode` takes.
        trained: the part that training optimises; the rest is frozen.
        reads_pictures: whether `read` knows style pictures.
    """

    channels: int
    width: int
    trained: nn.Module
    reads_pictures: bool = False

    @abstractmethod
    def encode(self, content: Tensor) -> Tensor:
        """Features (N, C, h, w) of pictures (N, 3, H, W) in [0, 1] of any size."""

    def positions(self, features: Tensor) -> Tensor:
        """Features (N, C, p, q) of the positions that ask for styles, from all (N, C, h, w)."""
        return features

    @abstractmethod
    def decode(self, features: Tensor, mean: Tensor, deviation: Tensor) -> Tensor:
        """Pictures (N, 3, H, W) in [0, 1], or larger to the right and below.

        features: (N, C, h, w). mean, deviation: of the values at each position, (N, width, p, q).
        """

    def read(self, picture: Tensor) -> Tensor:
        """Value (width,) that stands for a style picture (1, 3, h, w) in [0, 1].

        Raises AtelierError where the decoder does not know any.
        """
        raise AtelierError(
            f"{type(self).__name__} takes its style from a text, not from a picture; leave "
            "--style-image out, or choose another method, such as clipstyler"
        )


class FeatureHalves(Halves):
    """Frozen content features, and a decoder that is trained from random weights.

    AdaAttN's fusion (Liu et al. 2021, arXiv 2108.03647): the deviation scales the features, after
    instance norm, and the mean shifts them. AdaAttN fuses three layers of VGG-19, this one layer.
    For each factor 2 of the features' stride the decoder has a 3x3 convolution to half of the
    channels, ReLU and an enlargement by repetition; a convolution to three colours and a sigmoid
    follow.

    Args:
        features: the last of its layers is taken.
    """

    def __init__(self, features: ContentFeatures) -> None:
        super().__init__()
        self.features = features.eval().requires_grad_(False)
        with torch.no_grad():
            *_, probe = features(torch.zeros(1, 3, PROBE, PROBE))
        self.channels = self.width = probe.shape[1]
        self.stride = PROBE // probe.shape[3]
        layers: list[nn.Module] = []
        width = self.channels
        for _ in range(round(math.log2(self.stride))):
            layers += [_reflecting(width, width // 2), nn.ReLU(), nn.Upsample(scale_factor=2)]
            width //= 2
        self.trained = nn.Sequential(*layers, _reflecting(width, 3), nn.Sigmoid())

    def encode(self, content: Tensor) -> Tensor:
        height, width = (max(size, 2 * self.stride) for size in content.shape[2:])
        height, width = (size + -size % self.stride for size in (height, width))
        margins = (0, width - content.shape[3], 0, height - content.shape[2])
        return self.features(F.pad(content, margins, mode="replicate"))[-1]

    def decode(self, features: Tensor, mean: Tensor, deviation: Tensor) -> Tensor:
        return self.trained(deviation * instance_norm(features) + mean)


def _reflecting(inputs: int, outputs: int) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, 3, padding=1, padding_mode="reflect")


class PainterHalves(Halves):
    """The frozen painter of arbitrary styles, cut in two (Ghiasi et al. 2017).

    Values are codes, the 100 numbers from which the painter makes the scales and shifts of its 13
    normalised layers. Each position has a code of its own, mean + W deviation; only W is trained,
    from 0. So a style is painted from the beginning, which random weights could not do after
    minutes on a processor. Positions are blocks of 16 px, the stride of AdaAttN's deepest layer;
    between them, scales and shifts are interpolated.

    Args:
        smooth: filters against a woven mesh, as in Painter.
    """

    reads_pictures = True

    def __init__(self, smooth: bool = True) -> None:
        super().__init__()
        self.smooth = smooth
        self.painter, matrix, offset = arbitrary()
        self.channels, self.width = len(self.painter.filters[2]), matrix.shape[2]
        self.register_buffer("matrix", matrix, persistent=False)
        self.register_buffer("offset", offset, persistent=False)
        self.trained = nn.Conv2d(self.width, self.width, 1, bias=False)
        nn.init.zeros_(self.trained.weight)

    def encode(self, content: Tensor) -> Tensor:
        return self.painter.contract(content)

    def positions(self, features: Tensor) -> Tensor:
        return F.avg_pool2d(features, BLOCK, ceil_mode=True)

    def decode(self, features: Tensor, mean: Tensor, deviation: Tensor) -> Tensor:
        codes = (mean + self.trained(deviation)).permute(0, 2, 3, 1)
        matrices, offsets = (x.split(self.painter.widths, 1) for x in (self.matrix, self.offset))

        def restyle(layer: int, x: Tensor) -> Tensor:
            scale, shift = (
                F.interpolate(
                    F.linear(codes, *affine).permute(0, 3, 1, 2), x.shape[2:], mode="bilinear"
                )
                for affine in zip(matrices[layer], offsets[layer], strict=True)
            )
            return torch.addcmul(shift, x, scale)

        return self.painter.expand(features, restyle, self.smooth)

    def read(self, picture: Tensor) -> Tensor:
        return bottleneck(picture)
