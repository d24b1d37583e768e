"""Content features of EfficientNet."""

import torch

from datamodules.models import embedded_networks
from lightning_modules.perceptual.efficientnet import EfficientNetFeatures


def test_content_features_are_those_of_the_chosen_blocks():
    image = torch.rand(1, 3, 64, 96)
    shallow, deep = EfficientNetFeatures((4, 10))(image)
    assert shallow.shape[-2:] == (8, 12)
    assert deep.shape[-2:] == (4, 6)
    network = embedded_networks.efficientnet_lite0()
    x = network.bn1(network.conv_stem(embedded_networks.imagenet_input(image)))
    for block in network.blocks[:3]:
        x = block(x)
    torch.testing.assert_close(EfficientNetFeatures((4,))(image)[0], x)
