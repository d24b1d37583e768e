"""Content features of CLIPstyler's fast mode: relu4_1 of AdaIN's normalised VGG-19."""

from __future__ import annotations

from torch import Tensor

from datamodules.models.catalogue import to_fetch
from datamodules.models.published import require
from lightning_modules.generators.adain import INSTEAD, VGG, encoder
from lightning_modules.perceptual.base import ContentFeatures


class AdaINFeatures(ContentFeatures):
    """Maps of the encoder that the decoders stand behind.

    Args:
        vgg: "adain-vgg" for the registered file, or a path, as of AdaINPair.
        after_relu: relu4_1, on which the decoders stand; else the convolution before it.
    """

    identity = "adain-vgg19"

    def __init__(self, vgg: str = VGG, after_relu: bool = True) -> None:
        super().__init__()
        layers = encoder(require(vgg, INSTEAD))
        self.network = layers if after_relu else layers[:-1]

    @classmethod
    def weights_needed(cls, vgg: str, after_relu: bool) -> list[str]:
        """Names of the published weights that these arguments need."""
        return to_fetch(vgg)

    def forward(self, image: Tensor) -> list[Tensor]:
        return [self.network(image)]
