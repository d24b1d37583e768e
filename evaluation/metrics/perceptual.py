"""Shared parts of the perceptual distances: frozen networks that compare pictures pair by pair."""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path

import torch
import torchmetrics
from torch import Tensor, nn

from datamodules.models.cache import once_per_process
from datamodules.models.published import UNTRAINED, load_into, require
from datamodules.support.errors import AtelierError
from datamodules.support.files import sha256
from evaluation.metrics.background import outside
from evaluation.metrics.base import UNDEFINED, Pictures
from lightning_modules.perceptual.vgg import without_classifier

log = logging.getLogger(__name__)

CHUNK = 2**20  # pixels per call of a network: four pictures of 512 x 512
INSTEAD = "the embedded distance lite0_distance needs none"


class PairDistance(nn.Module, ABC):
    """Distance of two pictures in the features of a frozen network; never in training mode.

    Attributes:
        identity: the distance's name; numbers of two identities are not comparable.
    """

    identity: str

    @abstractmethod
    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        """Distances (N,) of pictures (N, 3, H, W) in [0, 1]; 0 for equal ones."""

    def train(self, mode: bool = True) -> PairDistance:
        return super().train(False)


class Taps(nn.Module):
    """Outputs of some layers of a network; those beyond the last one are dropped.

    Args:
        layers: of the network, in order. places: indices of those whose output is returned.
    """

    def __init__(self, layers: nn.Sequential, places: Sequence[int]) -> None:
        super().__init__()
        self.layers = layers[: max(places) + 1].requires_grad_(False).eval()
        self.layers.to(memory_format=torch.channels_last)
        self.places = frozenset(places)

    def forward(self, x: Tensor) -> list[Tensor]:
        """Maps (N, C, h, w), one per place."""
        maps = []
        for index, layer in enumerate(self.layers):
            x = layer(x)
            if index in self.places:
                maps.append(x)
        return maps


def backbone(model: str, weights: str) -> nn.Sequential:
    """The convolutional part of a torchvision model, "vgg16", "alexnet" or "squeezenet1_1".

    weights: "torchvision:MODEL", a file's path, or "untrained" for random ones (for timing).
    Raises AtelierError if the weights are missing or another network's.
    """
    if weights != UNTRAINED:
        return _trained(require(weights, INSTEAD), model)
    log.warning("%s is untrained: its distances mean nothing", model)
    layers = _empty(model)
    for layer in layers.modules():
        if isinstance(layer, nn.Conv2d):
            layer.reset_parameters()
    return layers


@once_per_process(at_most=8)
def _trained(path: Path, model: str) -> nn.Sequential:
    layers = _empty(model)
    load_into(layers, path, f"torchvision's {model}", without_classifier)
    return layers


def _empty(model: str) -> nn.Sequential:
    """The uninitialised convolutional part, without the classifier, the most of a network."""
    from torchvision.models import get_model

    with torch.device("meta"):
        layers = get_model(model, weights=None).features
    return layers.to_empty(device="cpu")


def packaged(name: str, digest: str) -> dict[str, Tensor]:
    """Tensors of a file that torchmetrics ships in functional/image/.

    digest: its SHA-256, which pins the published numbers: another release could ship others under
    the same name. Raises AtelierError for another file.
    """
    path = Path(torchmetrics.__file__).parent / "functional" / "image" / name
    if not path.is_file() or sha256(path) != digest:
        raise AtelierError(
            f"{path} is not the file of torchmetrics 1.9.0 that this metric is defined by; run: "
            "pip install --force-reinstall --no-deps torchmetrics==1.9.0"
        )
    return torch.load(path, weights_only=True, map_location="cpu")


def other_weights(weights: str, published: str) -> str:
    """The suffix of an identity for weights that are not the published ones; "" for these."""
    return "" if weights == published else Path(weights.rpartition(":")[2]).stem.replace(".", "_")


def distances(distance: PairDistance, a: Tensor, b: Tensor) -> Tensor:
    """Distances (N,) of pictures (N, 3, H, W), a few at a time; equal ones skip the network: 0."""
    values = a.new_zeros(len(a))
    differing = (a != b).flatten(1).any(1).nonzero()[:, 0]
    step = max(1, CHUNK // (a.shape[2] * a.shape[3]))
    for start in range(0, len(differing), step):
        part = differing[start : start + step]
        values[part] = distance(a[part], b[part]).to(values)
    return values


def whole_and_background(
    distance: PairDistance, pictures: Pictures, band: int
) -> tuple[Tensor, Tensor]:
    """Distances (N,) of output and content: of the whole, and by changes of the background alone.

    For the second, the content replaces the output in the mask and `band` px around it, so that
    only the background counts; UNDEFINED where there is none. It is a distance of whole pictures:
    the larger the mask, the less a change of the rest weighs.
    """
    output, content = pictures.output, pictures.content
    free = outside(pictures.objects, band)
    background = distances(distance, torch.where(free[:, None], output, content), content)
    defined = free.flatten(1).any(1)
    whole = distances(distance, output, content)
    return whole, torch.where(defined, background, UNDEFINED)
