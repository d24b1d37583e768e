"""LPIPS: a perceptual distance in the features of a classifier (Zhang et al. 2018).

Eq. 1: d(x, y) = sum over layers l of the spatial mean of w_l . (fx_l - fy_l)^2, where the f are
unit vectors along the channels and w_l >= 0 are the authors' trained weights (version 0.1), which
torchmetrics ships. Three networks have such weights; AlexNet is the authors' choice for measuring,
VGG-16 for optimising. Their numbers are not comparable, so the network ends the name: `lpips.alex`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from torch import Tensor

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

# ImageNet's statistics in the authors' networks, for pictures in [-1, 1].
SHIFT, SCALE = (-0.030, -0.088, -0.188), (0.458, 0.448, 0.450)


@dataclass(frozen=True)
class Net:
    """A network with trained weights.

    model: torchvision's name. places: indices of the layers. trained, digest: file of the weights
    in torchmetrics, and its SHA-256.
    """

    model: str
    places: tuple[int, ...]
    trained: str
    digest: str


NETS = {
    "alex": Net(
        "alexnet",
        (1, 4, 7, 9, 11),
        "lpips_models/alex.pth",
        "df73285e35b22355a2df87cdb6b70b343713b667eddbda73e1977e0c860835c0",
    ),
    "vgg": Net(
        "vgg16",
        (3, 8, 15, 22, 29),
        "lpips_models/vgg.pth",
        "a78928a0af1e5f0fcb1f3b9e8f8c3a2a5a3de244d830ad5c1feddc79b8432868",
    ),
    "squeeze": Net(
        "squeezenet1_1",
        (1, 4, 7, 9, 10, 11, 12),
        "lpips_models/squeeze.pth",
        "4a5350f23600cb79923ce65bb07cbf57dca461329894153e05a1346bd531cf76",
    ),
}


def layer_weights(net: str) -> list[Tensor]:
    """The authors' trained weights (C_l,) >= 0 of each layer of a network."""
    network = NETS[net]
    trained = packaged(network.trained, network.digest)
    return [trained[f"lin{index}.model.1.weight"].flatten() for index in range(len(network.places))]


def unit_channels(maps: Tensor) -> Tensor:
    """Maps (N, C, H, W) scaled to unit vectors along the channels (zero vectors stay zero)."""
    return maps / (maps.square().sum(1, keepdim=True) + 1e-8).sqrt()


def lpips(a: Sequence[Tensor], b: Sequence[Tensor], weights: Sequence[Tensor]) -> Tensor:
    """Eq. 1 of Zhang et al. 2018, (N,), 0 for equal maps.

    a, b: maps (N, C_l, H_l, W_l) per layer; weights: (C_l,) per layer, >= 0.
    """
    layers = zip(a, b, weights, strict=True)
    return sum(
        (unit_channels(x) - unit_channels(y)).square().mean((2, 3)) @ w for x, y, w in layers
    )


class LPIPSDistance(PairDistance):
    """LPIPS of pictures.

    Args:
        net: "alex", "vgg" or "squeeze".
        weights: of torchvision's network, by name or path, or "untrained"; None for its own.
    """

    def __init__(self, net: str = "alex", weights: str | None = None) -> None:
        super().__init__()
        network = NETS[net]
        published = f"torchvision:{network.model}"
        other = other_weights(weights or published, published)
        self.identity = f"lpips-{net}-{other}" if other else f"lpips-{net}"
        self.taps = Taps(backbone(network.model, weights or published), network.places)
        for index, weight in enumerate(layer_weights(net)):
            self.register_buffer(f"weight{index}", weight)
        self.register_buffer("shift", torch.tensor(SHIFT).view(1, 3, 1, 1))
        self.register_buffer("scale", torch.tensor(SCALE).view(1, 3, 1, 1))

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        weights = [getattr(self, f"weight{index}") for index in range(len(self.taps.places))]
        return lpips(self._maps(a), self._maps(b), weights)

    def _maps(self, image: Tensor) -> list[Tensor]:
        x = (2 * image - 1 - self.shift) / self.scale
        return self.taps(x.contiguous(memory_format=torch.channels_last))


class LPIPS(PictureMetric):
    """LPIPS between output and content, of the whole picture and of the background alone.

    Args:
        net: the network, "alex", "vgg" or "squeeze"; it ends the scores' names.
        weights: of torchvision's network, as "torchvision:alexnet", "torchvision:vgg16" or
            "torchvision:squeezenet1_1", a file's path, or "untrained" for random weights (for
            timing); by default the net's own.
        band: width in pixels of the boundary that does not count as background.
    """

    scores: ClassVar = declared.LPIPS
    reads_objects = True

    def __init__(
        self,
        net: Literal["alex", "vgg", "squeeze"] = "alex",
        weights: str | None = None,
        band: int = BAND,
    ) -> None:
        distance = LPIPSDistance(net, weights)
        super().__init__(network=distance.identity.removeprefix("lpips-"))
        self.distance, self.band = distance, band

    def score(self, pictures: Pictures) -> dict[str, Tensor]:
        whole, background = whole_and_background(self.distance, pictures, self.band)
        return {"lpips": whole, "background_lpips": background}
