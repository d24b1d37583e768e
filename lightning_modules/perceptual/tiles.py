"""Feature maps of a large picture, tile by tile, in the memory of one tile.

A feature depends on pixels no farther away than the network's reach. So each tile is processed with
a margin of that width, the margin's features are cut off, and the maps of all tiles side by side
are those of the whole picture. The backward pass computes each tile again.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

STRIDE = 32  # px; a multiple of the stride of every map


def reach(network: nn.Module) -> int:
    """Pixels to each side on which a feature depends, rounded up to STRIDE.

    network: a sequence of convolutions and poolings; branches beside it may only be shorter.
    """
    pixels, step = 0, 1
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d | nn.MaxPool2d):
            kernel, stride = (
                value if isinstance(value, int) else value[0]
                for value in (layer.kernel_size, layer.stride)
            )
            pixels += kernel // 2 * step
            step *= stride
    return -(-pixels // STRIDE) * STRIDE


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
    """Spans of the tiles along an axis: first and last pixel with the margin, and the part within
    this span that belongs to the tile.

    All begin at multiples of STRIDE, and their length equals the picture's modulo STRIDE, because
    the padding of a strided layer depends on it.
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
    part = picture[..., down[0] : down[1], across[0] : across[1]]
    maps = checkpoint(features, part, use_reentrant=False, preserve_rng_state=False)
    return [
        _without_margin(_without_margin(layer, part, 2, down), part, 3, across).contiguous()
        for layer in maps
    ]


def _without_margin(
    layer: Tensor, part: Tensor, axis: int, span: tuple[int, int, int, int]
) -> Tensor:
    """The tile's own part of a map along an axis."""
    stride = 2 ** round(math.log2(part.shape[axis] / layer.shape[axis]))
    first = span[2] // stride
    ends = span[0] + span[3] == span[1]  # at the picture's edge
    last = layer.shape[axis] if ends else span[3] // stride
    return layer.narrow(axis, first, last - first)
