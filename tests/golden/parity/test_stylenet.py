"""StyleNet against the network of CLIPstyler's published code, on the recipe's weights."""

import pytest

from lightning_modules.generators.stylenet import StyleNet
from tests.golden.parity.published import (
    facts,
    golden,
    stylenet_weights,
    uniform,
)


@pytest.fixture
def network():
    network = StyleNet()
    network.load_state_dict(stylenet_weights())
    return network


@pytest.mark.parity("StyleNet")
def test_stylenet_has_the_published_weights_under_the_published_names(network):
    shapes = {name: list(weights.shape) for name, weights in network.state_dict().items()}
    assert shapes == facts("stylenet_keys")
    assert sum(weights.numel() for weights in network.parameters()) == 615_267


@pytest.mark.parity("StyleNet")
@pytest.mark.parametrize("size", ["64x64", "40x72"])
def test_stylenet_paints_the_published_picture(network, size, agree):
    recorded = golden("stylenet")
    output = network(recorded[f"input_{size}"][None])[0]
    agree(output, recorded[f"output_{size}"], within=1e-5)


@pytest.mark.parity("StyleNet")
def test_stylenet_has_the_published_gradients(network, agree):
    recorded = golden("stylenet")
    output = network(recorded["input_64x64"][None])
    (output * uniform("cotangent", 1, 3, 64, 64)).sum().backward()
    gradients = {f"grad.{name}": weights.grad for name, weights in network.named_parameters()}
    names = [name for name in recorded if name.startswith("grad.")]
    assert len(names) == 5
    for name in names:
        largest = recorded[name].abs().max()
        agree(gradients[name] / largest, recorded[name] / largest, within=1e-5)
