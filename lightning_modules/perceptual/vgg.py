"""Content features of VGG-19, as in all four papers (Simonyan and Zisserman 2015)."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor, nn

from datamodules.models.cache import once_per_process
from datamodules.models.catalogue import to_fetch
from datamodules.models.embedded_networks import imagenet_input
from datamodules.models.published import UNTRAINED, load_into, require
from datamodules.support.errors import AtelierError
from lightning_modules.perceptual.base import ContentFeatures

log = logging.getLogger(__name__)

INSTEAD = "the embedded lightning_modules.perceptual.efficientnet.EfficientNetFeatures need none"


class VGGFeatures(ContentFeatures):
    """Some convolutions of torchvision's VGG-19; no layer beyond the last of them is computed.

    Args:
        layers: convolutions by name; "conv4_2" is the second of the fourth block.
        after_relu: take the output of the ReLU that follows, as the published codes do; the papers
            name the convolutions.
        weights: "torchvision:vgg19", path of a file, or "untrained" for random weights (for
            timing).
    """

    identity = "vgg19"

    def __init__(
        self,
        layers: Sequence[str] = ("conv4_2", "conv5_2"),
        after_relu: bool = False,
        weights: str = "torchvision:vgg19",
    ) -> None:
        super().__init__()
        names, network = _layers()
        if unknown := set(layers) - set(names):
            raise AtelierError(f"VGG-19 has no layer {', '.join(sorted(unknown))}; it has {names}")
        self.indices = {names[layer] + after_relu for layer in layers}
        if weights == UNTRAINED:
            log.warning("VGG-19 is untrained: its content features mean nothing")
        else:
            network = _trained(require(weights, INSTEAD))
        self.network = network[: max(self.indices) + 1].requires_grad_(False)
        self.network.to(memory_format=torch.channels_last)

    @classmethod
    def weights_needed(cls, layers: Sequence[str], after_relu: bool, weights: str) -> list[str]:
        """Names of the published weights that these arguments need."""
        return to_fetch(weights)

    def forward(self, image: Tensor) -> list[Tensor]:
        x, features = imagenet_input(image), []
        for index, layer in enumerate(self.network):
            x = layer(x)
            if index in self.indices:
                features.append(x)
        return features


@once_per_process(at_most=8)
def _trained(path: Path) -> nn.Sequential:
    """Convolutional part of VGG-19 with the weights of a file."""
    network = _layers()[1]
    load_into(network, path, "torchvision's VGG-19", without_classifier)
    return network


def _layers() -> tuple[dict[str, int], nn.Sequential]:
    """Index of each convolution by its name, and VGG-19's convolutional part, untrained."""
    from torchvision.models.vgg import cfgs, make_layers

    network = make_layers(cfgs["E"], batch_norm=False)
    names, block, number = {}, 1, 0
    for index, layer in enumerate(network):
        if isinstance(layer, nn.ReLU):
            layer.inplace = False  # otherwise it would overwrite the convolution's output
        elif isinstance(layer, nn.MaxPool2d):
            block, number = block + 1, 0
        else:
            number += 1
            names[f"conv{block}_{number}"] = index
    return names, network


def without_classifier(published: dict[str, Tensor]) -> dict[str, Tensor]:
    """Convolutions of a torchvision state dict, without the prefix "features."."""
    prefix = "features."
    return {k.removeprefix(prefix): v for k, v in published.items() if k.startswith(prefix)}
