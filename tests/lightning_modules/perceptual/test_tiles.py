"""Features computed in tiles are those of the whole."""

from functools import partial

import pytest
import torch
from torch import nn

from datamodules.images import load_picture, to_tensor
from lightning_modules.perceptual.efficientnet import EfficientNetFeatures
from lightning_modules.perceptual.tiles import reach, tiled
from lightning_modules.perceptual.vgg import VGGFeatures


def thin_vgg(layers=("conv4_2", "conv5_2"), **settings):
    """VGG-19 with an eighth of its channels; what a tile needs hangs on kernels and strides."""
    features = VGGFeatures(layers, weights="untrained", **settings)
    for index, layer in enumerate(features.network):
        if isinstance(layer, nn.Conv2d):
            channels = layer.in_channels if index == 0 else layer.in_channels // 8
            features.network[index] = nn.Conv2d(channels, layer.out_channels // 8, 3, padding=1)
    return features


NETWORKS = pytest.mark.parametrize(
    "network",
    [EfficientNetFeatures, thin_vgg, partial(thin_vgg, ["conv1_1", "conv3_2"], after_relu=True)],
    ids=["lite0", "vgg", "vgg-early"],
)


def photo(width, height):
    return to_tensor(load_picture("skimage:chelsea").resize((width, height)))[None]


@NETWORKS
@pytest.mark.parametrize("size", [(353, 300), (288, 321)])
def test_tiles_give_the_features_and_gradients_of_the_whole(network, size):
    network = network().eval().requires_grad_(False)
    picture = photo(*size).requires_grad_()
    whole = network(picture)
    parts = tiled(network, picture, 128, reach(network))
    weights = [torch.rand_like(layer) for layer in whole]
    gradients = []
    for maps in (whole, parts):
        total = sum((layer * weight).sum() for layer, weight in zip(maps, weights, strict=True))
        gradients.append(torch.autograd.grad(total, picture)[0])
    for a, b in zip(whole, parts, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-5)
    assert float((gradients[0] - gradients[1]).norm() / gradients[0].norm()) < 1e-4


def test_a_margin_less_wide_than_the_reach_shows():
    network = EfficientNetFeatures().eval().requires_grad_(False)
    picture = photo(416, 320)
    assert reach(network) == 192
    parts = tiled(network, picture, 128, 32)
    assert float((network(picture)[1] - parts[1]).abs().max()) > 1e-2


def test_reach_is_what_one_pixel_touches():
    layers = nn.Sequential(
        nn.Conv2d(1, 1, 3, padding=1), nn.MaxPool2d(2), nn.Conv2d(1, 1, 5, padding=2)
    )
    assert reach(layers) == 32  # 1 + 1 + 2 * 2 px, in units of the stride
