"""Both U-Nets: any size, and recomputation. tests/golden/parity has StyleNet's numbers."""

import pytest
import torch

from lightning_modules.generators.small_unet import SmallUNet
from lightning_modules.generators.stylenet import StyleNet

UNETS = pytest.mark.parametrize("kind", [StyleNet, SmallUNet])


@UNETS
@pytest.mark.parametrize("size", [(64, 64), (50, 83), (33, 40), (3, 5)])
def test_a_unet_works_at_any_size(kind, size):
    torch.manual_seed(0)
    output = kind(width=4)(torch.rand(1, 3, *size))
    assert output.shape == (1, 3, *size)
    assert output.min() >= 0
    assert output.max() <= 1


@UNETS
def test_padding_of_a_unet_is_cropped_back(kind):
    """Rows that padding adds change nothing where they cannot be seen: no shift, no scaling."""
    torch.manual_seed(0)
    net, image = kind(width=4), torch.rand(1, 3, 64, 61)
    padded = torch.nn.functional.pad(image, (0, 3, 0, 0), mode="replicate")
    torch.testing.assert_close(net(image), net(padded)[..., :61])


@UNETS
def test_recomputation_in_the_backward_pass_leaves_the_gradient_as_it_is(kind):
    torch.manual_seed(0)
    net, image = kind(width=4), torch.rand(1, 3, 32, 40)
    gradients = []
    for recompute in (False, True):
        net.recompute = recompute
        net.zero_grad()
        net(image).square().mean().backward()
        gradients.append([weights.grad.clone() for weights in net.parameters()])
    torch.testing.assert_close(*gradients)
