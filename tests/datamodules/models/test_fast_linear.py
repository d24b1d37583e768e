"""Linear layers as convolutions compute the same."""

import json

import open_clip
import pytest
import torch
from torch import nn

from datamodules.models.fast_linear import by_convolutions, by_products
from lightning_modules.encoders.open_clip import OpenCLIPEncoder

# What makes open_clip's models of the three kinds that Atelier names smaller.
SMALLER = {
    "ViT-B-32-quickgelu": {"layers": 2, "width": 128},
    "RN50": {"layers": [1, 1, 1, 1], "width": 16},
    "ViT-B-16-SigLIP": {"timm_model_name": "vit_tiny_patch16_224"},
}


@pytest.fixture
def small(request, tmp_path):
    """Name of a smaller model of the same kind."""
    config = open_clip.get_model_config(request.param)
    config["vision_cfg"] |= SMALLER[request.param]
    config["text_cfg"] |= {"layers": 1, "width": 64, "heads": 1}
    config["embed_dim"] = 192  # the width of timm's tiny transformer
    path = tmp_path / f"{request.param}-small.json"
    path.write_text(json.dumps(config))
    open_clip.add_model_config(path)
    return path.stem


@pytest.mark.parametrize("small", SMALLER, indirect=True)
def test_networks_by_convolutions_are_the_same_networks(small):
    encoder = OpenCLIPEncoder(small, "untrained")
    torch.manual_seed(0)
    views = torch.rand(2, 3, encoder.image_size, encoder.image_size)

    def outputs():
        x = views.clone().requires_grad_()
        embeddings = encoder.embed_images(x)
        (embeddings[:, ::7].sum() + embeddings.square()[0].sum()).backward()
        return embeddings.detach(), x.grad

    names = {type(layer).__name__ for layer in encoder.network.visual.modules()}
    assert "RN50" in small or "PointwiseLinear" in names
    embeddings, gradient = outputs()
    by_products(encoder.network.visual)
    assert not any("Pointwise" in type(layer).__name__ for layer in encoder.network.modules())
    expected, slope = outputs()
    assert torch.allclose(embeddings, expected, atol=1e-5)
    assert float((gradient - slope).norm() / slope.norm()) < 1e-3


@pytest.mark.parametrize("masked", [False, True])
def test_attention_by_convolutions(masked):
    torch.manual_seed(0)
    attention = nn.MultiheadAttention(12, 3, batch_first=True).eval().requires_grad_(False)
    nn.init.normal_(attention.in_proj_bias)
    x, other = torch.randn(2, 5, 12), torch.randn(2, 7, 12)
    mask = torch.full((5, 5), float("-inf")).triu(1) if masked else None
    to_itself = attention(x, x, x, need_weights=False, attn_mask=mask)[0]
    to_other = attention(x, other, other, need_weights=False)[0]
    fast = by_convolutions(attention)
    assert fast is not attention and fast.in_proj_weight is attention.in_proj_weight
    ours = fast(x, x, x, need_weights=False, attn_mask=mask)[0]
    assert torch.allclose(ours, to_itself, atol=1e-6)
    theirs = fast(x, other, other, need_weights=False)[0]
    assert torch.allclose(theirs, to_other, atol=1e-6)


def test_replaced_layers_keep_their_parameters_their_names_and_the_random_numbers():
    network = nn.Sequential(nn.Linear(3, 4), nn.Sequential(nn.Linear(4, 2, bias=False)), nn.ReLU())
    before, random = network.state_dict(keep_vars=True), torch.get_rng_state()
    assert by_convolutions(network.eval()) is network
    assert [type(layer).__name__ for layer in network.modules()].count("PointwiseLinear") == 2
    assert not any(layer.training for layer in network.modules())
    after = network.state_dict(keep_vars=True)
    assert [*after] == [*before] and all(after[name] is before[name] for name in before)
    assert torch.equal(torch.get_rng_state(), random)


def test_an_attention_with_parameters_of_its_own_stays_as_it_is():
    for special in ({"kdim": 5}, {"add_bias_kv": True}, {"add_zero_attn": True}):
        attention = nn.MultiheadAttention(12, 3, batch_first=True, **special)
        assert by_convolutions(attention) is attention
