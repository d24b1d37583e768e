"""VGG-19, on random weights in torchvision's format."""

import pytest
import torch

from datamodules.support.errors import AtelierError
from lightning_modules.perceptual.vgg import VGGFeatures

pytestmark = pytest.mark.usefixtures("no_network")


@pytest.mark.parametrize("after_relu", [False, True])
def test_vgg_reads_its_layers_before_or_behind_the_relu(vgg_file, after_relu):
    path, network = vgg_file
    image = torch.rand(1, 3, 64, 48)
    ours = VGGFeatures(weights=str(path), after_relu=after_relu)
    mean = torch.tensor([0.485, 0.456, 0.406]).view(3, 1, 1)
    std = torch.tensor([0.229, 0.224, 0.225]).view(3, 1, 1)
    x, outputs = (image - mean) / std, []
    with torch.no_grad():
        for index, layer in enumerate(network):
            x = layer(x).clone()
            if index in (21 + after_relu, 30 + after_relu):  # conv4_2 and conv5_2
                outputs.append(x.clone())
        for a, b in zip(ours(image), outputs, strict=True):
            torch.testing.assert_close(a, b, atol=1e-5, rtol=1e-4)
    assert (outputs[0] < 0).any() != after_relu
    assert len(ours.network) == 31 + after_relu  # nothing beyond conv5_2
    assert not any(p.requires_grad for p in ours.parameters())


def test_vgg_is_found_in_torchs_cache(vgg_file, tmp_path):
    with pytest.raises(AtelierError, match="atelier weights fetch torchvision:vgg19"):
        VGGFeatures()
    cache = tmp_path / "torch" / "hub" / "checkpoints"
    cache.mkdir(parents=True)
    (cache / "vgg19-dcbb9e9d.pth").symlink_to(vgg_file[0])
    assert len(VGGFeatures(layers=["conv1_1"]).network) == 1
    with pytest.raises(AtelierError, match="no layer conv6_1"):
        VGGFeatures(layers=["conv6_1"])
