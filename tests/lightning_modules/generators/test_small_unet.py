"""Starts of the small U-Net."""

import pytest
import torch
from safetensors.torch import load_file

from datamodules.models import packaged
from datamodules.support.errors import AtelierError
from datamodules.task import StyleBatch
from lightning_modules.generators.small_unet import LEARNED, SmallUNet


@pytest.mark.parametrize("contrast", [1.0, 0.2])
@pytest.mark.parametrize("size", [(96, 128), (51, 83)])
def test_the_identity_start_reproduces_what_it_has_never_seen(contrast, size):
    """A disc on coloured stripes before a gradient, in full contrast and in little."""
    torch.manual_seed(0)
    y, x = torch.meshgrid(*(torch.linspace(-1, 1, length) for length in size), indexing="ij")
    disc = (x.square() + y.square() < 0.3).float()
    picture = torch.stack([disc, (8 * x).sin() / 2 + 0.5, (y + 1) / 2])
    content = (0.5 + contrast * (picture - 0.5))[None]
    batch = StyleBatch(content, torch.ones(1, 1, *size), (((1.0, "fire"),),), "a Photo")

    def error(start):
        net = SmallUNet(start=start)
        net.start(batch)
        with torch.no_grad():
            return (net(content) - content).square().mean().sqrt()

    assert error("identity") < 0.12 * content.std() < error("random")


@pytest.mark.parametrize("start", ["identity", "learned"])
def test_a_start_is_learned_further(start):
    net = SmallUNet(start=start)
    net(torch.rand(1, 3, 32, 32)).mean().backward()
    assert all(w.grad is not None and w.dtype == torch.float32 for w in net.parameters())


def test_the_learned_start_is_seven_parts_of_ten_learned_and_the_rest_random():
    def unet(seed, start):
        torch.manual_seed(seed)
        return SmallUNet(start=start)

    file, random = load_file(packaged.locate(LEARNED)), unet(1, "random").state_dict()
    for name, weights in unet(1, "learned").state_dict().items():
        torch.testing.assert_close(weights, 0.7 * file[name].float() + 0.3 * random[name])
    one, other = (unet(seed, "learned").outward.weight for seed in (1, 2))
    assert not torch.equal(one, other)


def test_an_identity_start_of_another_width_is_refused():
    with pytest.raises(AtelierError, match="has width 16, not 8"):
        SmallUNet(width=8, start="identity")
