"""Content features of the embedded EfficientNet-Lite0, a substitute for VGG-19."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from datamodules.models import embedded_networks
from lightning_modules.perceptual.base import ContentFeatures


class EfficientNetFeatures(ContentFeatures):
    """Outputs of some blocks; nothing beyond the last of them is computed.

    Args:
        blocks: indices of the 16 inverted-residual blocks. 4 has stride 8 and 10 has stride 16, as
            VGG's conv4_2 and conv5_2.
    """

    identity = "lite0"

    def __init__(self, blocks: Sequence[int] = (4, 10)) -> None:
        super().__init__()
        network = embedded_networks.efficientnet_lite0()
        stages = [block for stage in network.blocks for block in stage]
        self.indices = frozenset(blocks)
        self.stem = nn.Sequential(network.conv_stem, network.bn1)
        self.blocks = nn.ModuleList(stages[: max(blocks) + 1])

    def forward(self, image: Tensor) -> list[Tensor]:
        x, features = self.stem(embedded_networks.imagenet_input(image)), []
        for index, block in enumerate(self.blocks):
            x = block(x)
            if index in self.indices:
                features.append(x)
        return features
