"""Boxes around the regions of pictures."""

from __future__ import annotations

from torch import Tensor


def box_around(region: Tensor, margin: int = 0, smallest: int = 1) -> tuple[slice, slice]:
    """Rows and columns of the box around a region (H, W) of booleans, at least one of them true.

    margin: pixels added on each side. smallest: least height and width in pixels. Both end at the
    picture's edges.
    """
    return tuple(_span(region.any(1 - axis), margin, smallest) for axis in (0, 1))


def _span(occupied: Tensor, margin: int, smallest: int) -> slice:
    """From the first to the last true value of (L,), enlarged."""
    places = occupied.nonzero()[:, 0]
    start, stop = int(places[0]) - margin, int(places[-1]) + 1 + margin
    lack = max(0, smallest - (stop - start))
    start, stop = start - lack // 2, stop + lack - lack // 2
    start = min(max(start, 0), max(len(occupied) - smallest, 0))
    return slice(start, min(max(stop, smallest), len(occupied)))
