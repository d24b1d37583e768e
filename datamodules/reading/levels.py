"""Kinds of values in a mask: areas, the edges between them, ramps, and the noise of JPEG."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from datamodules.reading.planes import Plane

SCATTER = 16  # of 255; values so near to a frequent one are meant to be equal to it
FREQUENT = 0.0002  # share of the picture from which an even area counts as a region
OFTEN, PEAK = 0.005, 4  # share of the pixels near a true value, and its height over others
FEW = 32  # values; where there are more, those within SCATTER of each other are a ramp
FAINT = 32  # of 255; no soft mask is so dark everywhere: such values are labels


def near(plane: Plane) -> float:
    """SCATTER in the values of a plane."""
    return SCATTER * plane.white / 255


def regions_of(plane: Plane) -> list[int]:
    """Values that fill even areas, the darkest first; of those in a ramp the most frequent one."""
    from scipy.ndimage import maximum_filter, minimum_filter

    counts, values, needed = plane.counts, plane.values, FREQUENT * plane.values.size
    if plane.white == 255 and max(counts) <= FAINT:
        return [*counts]
    even = values[minimum_filter(values, 3) == maximum_filter(values, 3)]
    areas = replace(plane, values=even).counts if even.size else {}
    regions = [
        v
        for v, count in counts.items()
        if areas.get(v, 0) >= needed or (v == plane.white and count >= needed)
    ]
    if not plane.white:
        return regions
    if len(counts) <= FEW:  # thin outlines of a label have no even area
        low, high = (regions[0], regions[-1]) if len(regions) > 1 else (min(counts), max(counts))
        return [
            v
            for v, count in counts.items()
            if v in regions or (count >= needed and not low <= v <= high)
        ]
    ramps: list[list[int]] = []
    for v in regions:
        if ramps and v - ramps[-1][-1] <= near(plane):
            ramps[-1].append(v)
        else:
            ramps.append([v])
    return [max(ramp, key=counts.get) for ramp in ramps]


def with_edges(plane: Plane, dark: int, bright: int) -> bool:
    """Whether most values are one of two, so that those between are soft edges and no ramp."""
    levels, counts = (np.array(list(part)) for part in (plane.counts, plane.counts.values()))
    upper = levels > (dark + bright) / 2
    most = min(near(plane), (bright - dark) / 8)
    exact = abs(levels - np.where(upper, bright, dark)) <= most
    return all(2 * counts[half & exact].sum() >= counts[half].sum() for half in (upper, ~upper))


def settled(plane: Plane) -> Plane:
    """Values that a lossy format has scattered around frequent ones, moved back to these."""
    total = np.bincount(list(plane.counts), list(plane.counts.values()), minlength=256)
    levels, table = np.arange(256), np.arange(256, dtype=np.uint8)
    for level in np.argsort(-total):
        distance = abs(levels - level)
        close = total[distance <= SCATTER // 2].sum()
        around = total[(distance > SCATTER // 2) & (distance <= 2 * SCATTER)].sum()
        if table[level] == level and close > max(PEAK * around, OFTEN * plane.values.size):
            table[(distance <= SCATTER) & (table == levels)] = level
    return replace(plane, values=table[plane.values])
