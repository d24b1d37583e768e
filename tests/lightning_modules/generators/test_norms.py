"""Instance norm: the same numbers wherever and however the maps lie."""

import pytest
import torch
from torch.nn import functional as F

from lightning_modules.generators.norms import by_reductions, instance_norm


@pytest.mark.parametrize("norm", [instance_norm, by_reductions])
@pytest.mark.parametrize("pictures", [1, 2])
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_each_function_gives_the_values_and_gradients_of_torch(norm, pictures, layout):
    x = (3 * torch.rand(pictures, 4, 20, 28) + 1).contiguous(memory_format=layout).requires_grad_()
    cotangent = torch.rand(pictures, 4, 20, 28)
    outputs = [function(x) for function in (F.instance_norm, norm)]
    gradients = [torch.autograd.grad((y * cotangent).sum(), x)[0] for y in outputs]
    torch.testing.assert_close(outputs[1], outputs[0], atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(gradients[1], gradients[0], atol=1e-5, rtol=1e-4)


def test_a_single_picture_keeps_its_layout():
    x = torch.rand(1, 4, 20, 28).contiguous(memory_format=torch.channels_last)
    assert instance_norm(x).is_contiguous(memory_format=torch.channels_last)
