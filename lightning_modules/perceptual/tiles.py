"""Feature maps of a large picture, tile by tile, in the memory of one tile.

A convolution sees no farther than its reach. So each tile is looked at with a margin of that width,
whose features are cut off, and the tiles' maps side by side are the whole picture's. On the way
back each tile is looked at again.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

STRIDE = 32  # px; at least the coarsest of the maps', and a multiple of all of them


def reach(network: nn.Module) -> int:
    """Pixels to each side that a feature depends on, rounded up to STRIDE.

    network: convolutions and poolings one after another (beside them shorter ways at most).
    """
    far, step = 0, 1
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d | nn.MaxPool2d):
            kernel, stride = (
                value if isinstance(value, int) else value[0]
                for value in (layer.kernel_size, layer.stride)
            )
            far += kernel // 2 * step
            step *= stride
    return -(-far // STRIDE) * STRIDE


def tiled(
    features: Callable[[Tensor], list[Tensor]], picture: Tensor, side: int, margin: int
) -> list[Tensor]:
    """features(picture), computed in tiles of about `side` px; differentiable.

    picture: (N, C, H, W); side, margin: multiples of STRIDE. The maps' strides are powers of 2.
    """
    columns = [*_spans(picture.shape[3], side, margin)]
    rows = [
        [_tile(features, picture, across, down) for across in columns]
        for down in _spans(picture.shape[2], side, margin)
    ]
    wide = [[torch.cat(layer, 3) for layer in zip(*row, strict=True)] for row in rows]
    return [torch.cat(layer, 2) for layer in zip(*wide, strict=True)]


def _spans(length: int, side: int, margin: int) -> Iterator[tuple[int, int, int, int]]:
    """Of each tile along an axis: where it is looked at (from, to), and which part of it counts.

    All begin at multiples of STRIDE, and are as long as the picture modulo STRIDE: how a strided
    layer pads depends on that.
    """
    count = max(1, round(length / side))
    bounds = [length * k // count // STRIDE * STRIDE for k in range(count)] + [length]
    for first, last in pairwise(bounds):
        start = max(0, first - margin)
        yield start, min(length, last + margin + length % STRIDE), first - start, last - start


def _tile(
    features: Callable[[Tensor], list[Tensor]],
    picture: Tensor,
    across: tuple[int, int, int, int],
    down: tuple[int, int, int, int],
) -> list[Tensor]:
    seen = picture[..., down[0] : down[1], across[0] : across[1]]
    maps = checkpoint(features, seen, use_reentrant=False, preserve_rng_state=False)
    return [
        _counting(_counting(layer, seen, 2, down), seen, 3, across).contiguous() for layer in maps
    ]


def _counting(layer: Tensor, seen: Tensor, axis: int, span: tuple[int, int, int, int]) -> Tensor:
    """The part of a map that counts along an axis."""
    stride = 2 ** round(math.log2(seen.shape[axis] / layer.shape[axis]))
    first = span[2] // stride
    ends = span[0] + span[3] == span[1]  # at the picture's edge
    last = layer.shape[axis] if ends else span[3] // stride
    return layer.narrow(axis, first, last - first)
