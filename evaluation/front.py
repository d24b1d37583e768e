"""Pareto fronts: what no other choice beats in everything that counts."""

from __future__ import annotations

from collections.abc import Sequence


def front(points: Sequence[Sequence[float | None]], directions: Sequence[bool]) -> list[int]:
    """Numbers of the points that no other dominates, in their order.

    A point dominates another that is nowhere better and somewhere worse; so equal points stand on
    the front together. A point that lacks a value, or has NaN for one, is never on it.
    points: one value per direction. directions: whether higher is better, for each value.
    """
    signs = [1 if higher else -1 for higher in directions]
    values = {
        number: tuple(sign * value for sign, value in zip(signs, point, strict=True))
        for number, point in enumerate(points)
        if all(value is not None and value == value for value in point)
    }
    best: set[tuple[float, ...]] = set()
    # In falling order nothing later dominates what is already on the front.
    for value in sorted(set(values.values()), reverse=True):
        if not any(all(a >= b for a, b in zip(other, value, strict=True)) for other in best):
            best.add(value)
    return [number for number, value in values.items() if value in best]
