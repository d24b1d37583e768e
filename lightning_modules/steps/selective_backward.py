"""Two-pass encoding: all views without autograd, then only those with a non-zero gradient with it.

Threshold rejection gives a patch that has arrived no gradient (CLIPstyler, eq. 2: R is constant
there). Which patches these are is clear only once all are encoded. The second pass and its backward
pass skip them, and no activations are stored in the first. The gradient is the same.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

# Share of views. If fewer have a gradient, encoding these twice is cheaper than one backward pass
# through all.
FEW = 0.5

Encode = Callable[[Tensor], Tensor]


class Selection:
    """Choice between one pass and two, by the views that had a gradient in the previous step.

    On a CPU only: a GPU would have to be awaited for the answer.

    Attributes:
        share: of the views, those with a non-zero gradient in the previous step, in [0, 1].
    """

    def __init__(self) -> None:
        self.share = 1.0

    def embed(self, encode: Encode, views: Tensor, chunk: int = 0) -> Tensor:
        """encode(views), (N, D), in two passes of `chunk` views each or if few had a gradient.

        encode: (K, 3, S, S) to (K, D), each row from its own view alone. chunk: 0 = all views.
        """
        on_cpu = views.device.type == "cpu"
        if chunk or (on_cpu and self.share < FEW):
            embeddings = encode_in_two_passes(encode, views, chunk or len(views))
        else:
            embeddings = encode(views)
        if embeddings.requires_grad and on_cpu:
            embeddings.register_hook(self._count)
        return embeddings

    def _count(self, gradients: Tensor) -> None:
        self.share = float(gradients.any(dim=1).float().mean())


def encode_in_two_passes(encode: Encode, views: Tensor, chunk: int) -> Tensor:
    """encode(views), (N, D), computed `chunk` views at a time and differentiable once."""
    return _TwoPasses.apply(views, encode, chunk)


class _TwoPasses(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, views: Tensor, encode: Encode, chunk: int) -> Tensor:
        ctx.save_for_backward(views)
        ctx.encode, ctx.chunk = encode, chunk
        kind = views.device.type  # the second pass is as precise as the first
        ctx.precision = torch.autocast(
            kind, torch.get_autocast_dtype(kind), torch.is_autocast_enabled(kind)
        )
        return torch.cat([encode(part) for part in views.split(chunk)])

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, gradients: Tensor) -> tuple[Tensor, None, None]:
        (views,) = ctx.saved_tensors
        result = torch.zeros_like(views)
        active = gradients.any(dim=1).nonzero().squeeze(1)
        for rows in active.split(ctx.chunk) if len(active) else ():
            with torch.enable_grad(), ctx.precision:
                part = views[rows].requires_grad_()
                embeddings = ctx.encode(part)
            result[rows] = torch.autograd.grad(embeddings, part, gradients[rows])[0]
        return result, None, None
