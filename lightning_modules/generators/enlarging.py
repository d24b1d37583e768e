"""Enlargement of feature maps to twice their size, without copies of their patterns.

Repeating every value copies each pattern of the small map, weaker, to a period near 2 px, along
rows and along columns. The convolutions that follow were trained to live with these copies, but
strengthen them in some styles, until they show as a woven mesh. A low pass after the repetition
removes them at their source.

The low passes are maximally flat (Herrmann 1971): their gain is 0 at a period of 2 px and 1 at long
periods, where it hardly changes, so that strokes stay as they are.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

NONE = (1,)
GENTLE = (-1, 8, -28, 56, 186, 56, -28, 8, -1)  # gain 1 - s^4 with s = sin(pi / period)^2
THOROUGH = (3, 0, -25, 0, 150, 256, 150, 0, -25, 0, 3)  # gain (1 - s)^3 (1 + 3s + 6s^2)


def enlarge(x: Tensor, taps: tuple[int, ...]) -> Tensor:
    """Feature maps (N, C, 2H, 2W) from (N, C, H, W): every value repeated, then low-passed.

    taps: low pass along rows and along columns, of odd length; divided by their sum.
    """
    x = F.interpolate(x, scale_factor=2, mode="nearest")
    if taps == NONE:
        return x
    line = torch.tensor(taps, dtype=x.dtype, device=x.device) / sum(taps)
    kernel = torch.outer(line, line).expand(x.shape[1], 1, -1, -1)
    edges = F.pad(x, [len(taps) // 2] * 4, mode="replicate")
    return F.conv2d(edges, kernel, groups=x.shape[1])
