"""StyleNet beyond the published sizes; tests/golden/parity has its numbers."""

import pytest
import torch

from lightning_modules.generators.stylenet import StyleNet


@pytest.mark.parametrize("size", [(64, 64), (50, 83), (33, 40), (3, 5)])
def test_stylenet_works_at_any_size(size):
    torch.manual_seed(0)
    output = StyleNet(width=4)(torch.rand(1, 3, *size))
    assert output.shape == (1, 3, *size)
    assert output.min() >= 0
    assert output.max() <= 1


def test_padding_of_stylenet_is_cropped_back():
    """Rows that padding adds change nothing where they cannot be seen: no shift, no scaling."""
    torch.manual_seed(0)
    net, image = StyleNet(width=4), torch.rand(1, 3, 64, 61)
    padded = torch.nn.functional.pad(image, (0, 3, 0, 0), mode="replicate")
    torch.testing.assert_close(net(image), net(padded)[..., :61])


def test_recomputation_in_the_backward_pass_leaves_the_gradient_as_it_is():
    torch.manual_seed(0)
    net, image = StyleNet(width=4), torch.rand(1, 3, 32, 40)
    gradients = []
    for recompute in (False, True):
        net.recompute = recompute
        net.zero_grad()
        net(image).square().mean().backward()
        gradients.append([weights.grad.clone() for weights in net.parameters()])
    torch.testing.assert_close(*gradients)
