"""Linear layers as 1x1 convolutions: the same products, by whichever library is faster on a CPU.

PyTorch multiplies float32 matrices by MKL, which on AMD's processors reaches half of what oneDNN
does, and convolves by oneDNN. Equal to float rounding; on a GPU nothing changes.
"""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn
from torch.nn import functional as F


def pointwise(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """x @ weight.T + bias for x (..., I), weight (O, I), bias (O,): (..., O)."""
    if x.device.type != "cpu":
        return F.linear(x, weight, bias)
    # One picture of as many pixels as there are vectors, in memory where they are.
    pixels = x.reshape(1, -1, 1, x.shape[-1]).permute(0, 3, 1, 2)
    y = F.conv2d(pixels, weight[:, :, None, None], bias)
    return y.permute(0, 2, 3, 1).reshape(*x.shape[:-1], -1)


class PointwiseLinear(nn.Linear):
    def forward(self, x: Tensor) -> Tensor:
        return pointwise(x, self.weight, self.bias)


class PointwiseAttention(nn.MultiheadAttention):
    """Attention of x (N, L, D) to itself, as vision transformers have it, or PyTorch's own."""

    def forward(self, query: Tensor, key: Tensor, value: Tensor, **settings: Any) -> Any:
        if not (query is key is value and self.batch_first):
            return super().forward(query, key, value, **settings)
        projected = pointwise(query, self.in_proj_weight, self.in_proj_bias).chunk(3, dim=-1)
        heads = [part.unflatten(-1, (self.num_heads, -1)).transpose(1, 2) for part in projected]
        seen = F.scaled_dot_product_attention(*heads, attn_mask=settings.get("attn_mask"))
        return self.out_proj(seen.transpose(1, 2).flatten(2)), None


_POINTWISE = {
    nn.Linear: PointwiseLinear,
    nn.modules.linear.NonDynamicallyQuantizableLinear: PointwiseLinear,  # within attention
    nn.MultiheadAttention: PointwiseAttention,
}


def by_convolutions(network: nn.Module) -> nn.Module:
    """The network, its linear layers and self-attentions as 1x1 convolutions; weights stay."""
    for layer in network.modules():
        layer.__class__ = _POINTWISE.get(type(layer), type(layer))
    return network


def by_products(network: nn.Module) -> nn.Module:
    """The network as it was before `by_convolutions`."""
    plain = {fast: slow for slow, fast in reversed(_POINTWISE.items())}
    for layer in network.modules():
        layer.__class__ = plain.get(type(layer), type(layer))
    return network
