"""Encoding first without gradients, and again with them only what the loss turns out to follow.

Threshold rejection gives a patch that has arrived no gradient (CLIPstyler, eq. 2: R is constant
there). Which patches these are is known once all are encoded; so the rest of the work, a second
look and its backward pass, is spared for them, and no activations are kept for any. The gradient is
the same.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor


def revisited(encode: Callable[[Tensor], Tensor], views: Tensor, chunk: int) -> Tensor:
    """encode(views), (N, D), computed `chunk` views at a time and differentiable once.

    encode: (K, 3, S, S) to (K, D), each row from its own view alone.
    """
    return _Revisited.apply(views, encode, chunk)


class _Revisited(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, views: Tensor, encode: Callable, chunk: int) -> Tensor:
        ctx.save_for_backward(views)
        ctx.encode, ctx.chunk = encode, chunk
        return torch.cat([encode(part) for part in views.split(chunk)])

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, gradients: Tensor) -> tuple[Tensor, None, None]:
        (views,) = ctx.saved_tensors
        found = torch.zeros_like(views)
        followed = gradients.any(dim=1).nonzero().squeeze(1)
        for part in followed.split(ctx.chunk) if len(followed) else ():
            with torch.enable_grad():
                seen = views[part].requires_grad_()
                embeddings = ctx.encode(seen)
            found[part] = torch.autograd.grad(embeddings, seen, gradients[part])[0]
        return found, None, None
