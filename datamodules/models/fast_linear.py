"""Linear layers computed as 1x1 convolutions, which is faster on some CPUs.

PyTorch multiplies float32 matrices by MKL, which on AMD's processors reaches half of oneDNN's
speed, and convolves by oneDNN. The results are equal up to float rounding; on a GPU nothing
changes. Layers are replaced, not altered: a fast layer shares the parameters of the plain one, and
their names in state dicts stay.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.modules.linear import NonDynamicallyQuantizableLinear  # within attention


def pointwise(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """x @ weight.T + bias for x (..., I), weight (O, I), bias (O,): (..., O)."""
    if x.device.type != "cpu":
        return F.linear(x, weight, bias)
    # One picture with a pixel per vector; the permutations move nothing in memory.
    pixels = x.reshape(1, -1, 1, x.shape[-1]).permute(0, 3, 1, 2)
    y = F.conv2d(pixels, weight[:, :, None, None], bias)
    return y.permute(0, 2, 3, 1).reshape(*x.shape[:-1], -1)


class PointwiseLinear(nn.Linear):
    """A linear layer whose product is `pointwise`."""

    def forward(self, x: Tensor) -> Tensor:
        return pointwise(x, self.weight, self.bias)


class PointwiseAttention(nn.MultiheadAttention):
    """Self-attention of x (N, L, D) as in vision transformers; other uses are left to PyTorch."""

    def forward(self, query: Tensor, key: Tensor, value: Tensor, **settings: Any) -> Any:
        if not (query is key is value and self.batch_first):
            return super().forward(query, key, value, **settings)
        projected = pointwise(query, self.in_proj_weight, self.in_proj_bias).chunk(3, dim=-1)
        heads = [part.unflatten(-1, (self.num_heads, -1)).transpose(1, 2) for part in projected]
        mixed = F.scaled_dot_product_attention(*heads, attn_mask=settings.get("attn_mask"))
        return self.out_proj(mixed.transpose(1, 2).flatten(2)), None


def _linear(kind: type[nn.Linear], layer: nn.Linear) -> nn.Linear:
    """A linear layer of another class with the same parameters."""
    twin = kind(layer.in_features, layer.out_features, layer.bias is not None, device="meta")
    twin.weight, twin.bias = layer.weight, layer.bias
    return twin.train(layer.training)


def _attention(kind: type[nn.MultiheadAttention], layer: nn.MultiheadAttention) -> nn.Module:
    """An attention of another class with the same parameters; only the plain form is replaced."""
    if layer.in_proj_weight is None or layer.bias_k is not None or layer.add_zero_attn:
        return layer
    twin = kind(
        layer.embed_dim,
        layer.num_heads,
        layer.dropout,
        bias=layer.in_proj_bias is not None,
        batch_first=layer.batch_first,
        device="meta",
    )
    twin.in_proj_weight, twin.in_proj_bias = layer.in_proj_weight, layer.in_proj_bias
    twin.out_proj = layer.out_proj
    return twin.train(layer.training)


Replacements = Mapping[type[nn.Module], Callable[[Any], nn.Module]]

_FAST: Replacements = {
    nn.Linear: partial(_linear, PointwiseLinear),
    NonDynamicallyQuantizableLinear: partial(_linear, PointwiseLinear),
    nn.MultiheadAttention: partial(_attention, PointwiseAttention),
}
_PLAIN: Replacements = {
    PointwiseLinear: partial(_linear, nn.Linear),
    PointwiseAttention: partial(_attention, nn.MultiheadAttention),
}


def by_convolutions(network: nn.Module) -> nn.Module:
    """The network with its linear layers and self-attentions computed as 1x1 convolutions.

    Layers inside the network are replaced in place; the result is another object only if the
    network itself is one such layer.
    """
    return _replaced(network, _FAST)


def by_products(network: nn.Module) -> nn.Module:
    """The network with matrix products again: the inverse of `by_convolutions`."""
    return _replaced(network, _PLAIN)


def _replaced(network: nn.Module, replacements: Replacements) -> nn.Module:
    for name, child in network.named_children():
        setattr(network, name, _replaced(child, replacements))
    replace = replacements.get(type(network))
    return replace(network) if replace else network
