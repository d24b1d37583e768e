"""AdaIN's encoder and decoder (Huang and Belongie 2017), between which CLIPstyler's fast mode
leaves AdaIN itself out.

The encoder is VGG-19 up to relu4_1, its weights scaled by their authors so that the mean activation
of each channel is 1; a 1x1 convolution in front normalises pictures in [0, 1]. Both are sequences
whose indices are those of the published files.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from torch import Tensor, nn
from torch.nn import functional as F

from datamodules.models.cache import once_per_process
from datamodules.models.catalogue import to_fetch
from datamodules.models.published import load_into, require
from lightning_modules.generators.pairs import Pair

VGG, DECODER = "adain-vgg", "adain-decoder"
INSTEAD = "--models embedded has its own encoder and decoder"
SMALLEST = 16  # px; the smallest maps are reflected
HALVE, DOUBLE = "halve", "double"
DOWN = (3, 64, 64, HALVE, 128, 128, HALVE, 256, 256, 256, 256, HALVE, 512)
UP = (512, 256, DOUBLE, 256, 256, 256, 128, DOUBLE, 128, 64, DOUBLE, 64, 3)


class AdaINPair(Pair):
    """VGG-19 up to relu4_1, and a decoder that starts from AdaIN's.

    Args:
        vgg: "adain-vgg" for the registered file (`atelier weights path adain-vgg=FILE`), or a path.
        decoder: the same for "adain-decoder".
    """

    def __init__(self, vgg: str = VGG, decoder: str = DECODER) -> None:
        super().__init__()
        self.encoder = encoder(require(vgg, INSTEAD))
        self.start = decoder

    @classmethod
    def weights_needed(cls, vgg: str, decoder: str) -> list[str]:
        """Names of the published weights that painting needs; training needs the decoder too."""
        return to_fetch(vgg)

    def encode(self, content: Tensor) -> Tensor:
        height, width = content.shape[-2:]
        margins = (0, max(0, SMALLEST - width), 0, max(0, SMALLEST - height))
        return self.encoder(F.pad(content, margins, mode="replicate"))

    def decoder(self, style: str) -> nn.Module:
        """AdaIN's decoder for every style. Its pictures are not limited to [0, 1]."""
        decoder = _convolutions(UP)[:-1]  # no ReLU after the last
        if style:
            load_into(decoder, require(self.start, INSTEAD), "AdaIN's decoder")
        return decoder


@once_per_process(at_most=2)
def encoder(path: Path) -> nn.Sequential:
    """The frozen encoder of a file, which may go on beyond relu4_1: pictures (N, 3, H, W) in
    [0, 1] to maps (N, 512, H / 8, W / 8), rounded up. Raises AtelierError for another file.
    """
    network = nn.Sequential(nn.Conv2d(3, 3, 1), *_convolutions(DOWN))

    def needed(published: dict[str, Tensor]) -> dict[str, Tensor]:
        return {name: published[name] for name in network.state_dict()}

    load_into(network, path, "AdaIN's normalised VGG-19", needed)
    return network.eval().requires_grad_(False)


def _convolutions(plan: Sequence[int | str]) -> nn.Sequential:
    """3x3 convolutions behind reflected edges, each with ReLU, from one width to the next."""
    layers: list[nn.Module] = []
    inputs, *rest = plan
    for entry in rest:
        if entry == HALVE:
            layers.append(nn.MaxPool2d(2, ceil_mode=True))
        elif entry == DOUBLE:
            layers.append(nn.Upsample(scale_factor=2, mode="nearest"))
        else:
            layers += [nn.ReflectionPad2d(1), nn.Conv2d(inputs, entry, 3), nn.ReLU()]
            inputs = entry
    return nn.Sequential(*layers)
