"""Enlargement of feature maps to twice their size, without copies of their patterns.

Repeating every value copies each pattern of the small map, weaker, to a period near 2 px, along
rows and along columns. The convolutions that follow were trained to live with these copies, but
strengthen them in some styles, until they show as a woven mesh. A low pass after the repetition
removes them at their source.

A second mesh, oblique, with a period of 5.7 px, comes from the coarsest maps, a quarter of the
picture's size: in some styles the convolutions there strengthen a checkerboard of single values.

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

FINEST = (1, -8, 28, -56, 70, -56, 28, -8, 1)  # gain s^4 if divided by 256


def enlarge(x: Tensor, taps: tuple[int, ...]) -> Tensor:
    """Feature maps (N, C, 2H, 2W) from (N, C, H, W): every value repeated, then low-passed.

    taps: low pass along rows and along columns, of odd length; divided by their sum. Repetition
    and low pass together are one transposed convolution, of the taps added to their neighbours.
    """
    if taps == NONE:
        return F.interpolate(x, scale_factor=2, mode="nearest")
    line = torch.tensor([*taps, 0]) + torch.tensor([0, *taps])
    channels, margin = int(x.shape[1]), (len(taps) + 1) // 4
    kernel = (torch.outer(line, line) / sum(taps) ** 2).to(x).expand(channels, 1, -1, -1)
    edges = F.pad(x, [margin] * 4, mode="replicate")
    beyond = 2 * margin + len(taps) // 2  # the edges, enlarged, and half of the low pass
    return F.conv_transpose2d(edges, kernel, stride=2, padding=beyond, groups=channels)


def without_checkerboard(x: Tensor) -> Tensor:
    """Feature maps (N, C, H, W) without what is finest along rows and along columns at once.

    The gain is 1 - s_x^4 s_y^4: 0 for a checkerboard, 1 for every pattern along one axis.
    """
    return x - _filtered(x, torch.tensor(FINEST) / 256)


def _filtered(x: Tensor, line: Tensor) -> Tensor:
    """Maps (N, C, H, W), each convolved with `line` along rows and along columns."""
    channels = int(x.shape[1])
    kernel = torch.outer(line, line).to(x).expand(channels, 1, -1, -1)
    edges = F.pad(x, [len(line) // 2] * 4, mode="replicate")
    return F.conv2d(edges, kernel, groups=channels)
