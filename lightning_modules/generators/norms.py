"""Instance norm without weights, by the function that is fastest where the maps lie."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

EPS = 1e-5  # PyTorch's default


def instance_norm(x: Tensor) -> Tensor:
    """Maps (N, C, H, W), each with mean 0 and variance 1, as `F.instance_norm` computes them.

    On a GPU, PyTorch's kernel gives each channel to one of a hundred processors; with 16 channels
    the others are idle. On a processor it copies maps whose channels lie side by side; for a single
    picture batch norm is the same, and does not.
    """
    if x.device.type != "cpu":
        return by_reductions(x)
    alone = not torch.jit.is_tracing() and len(x) == 1  # a traced graph takes any number
    return F.batch_norm(x, None, None, training=True) if alone else F.instance_norm(x)


def by_reductions(x: Tensor) -> Tensor:
    """The same by reductions, which use all processors of a GPU."""
    variance, mean = torch.var_mean(x, (2, 3), correction=0, keepdim=True)
    return (x - mean) * torch.rsqrt(variance + EPS)
