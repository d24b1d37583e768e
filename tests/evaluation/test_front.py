"""Pareto fronts."""

import itertools
import math
import random

import pytest

from evaluation.front import front


def test_only_what_nothing_dominates_is_on_the_front():
    points = [(0.9, 0.5), (0.5, 0.1), (0.5, 0.2), (0.9, 0.5), (0.4, 0.1), (1.0, 0.9)]
    assert front(points, (True, False)) == [0, 1, 3, 5]
    assert front(points, (True, True)) == [5]
    assert front(points, (False, False)) == [4]


def test_points_without_a_value_are_never_on_the_front():
    assert front([(None, 9.0), (1.0, 1.0), (math.nan, 9.0)], (True, True)) == [1]
    assert front([], (True, True)) == []
    with pytest.raises(ValueError, match="argument"):
        front([(1.0,)], (True, True))


@pytest.mark.parametrize("directions", itertools.product((True, False), repeat=3))
def test_the_front_agrees_with_its_definition(directions):
    chance = random.Random(0)
    points = [tuple(chance.randrange(6) for _ in directions) for _ in range(60)]

    def dominates(a, b):
        pairs = [
            (x, y) if higher else (y, x) for x, y, higher in zip(a, b, directions, strict=True)
        ]
        return all(x >= y for x, y in pairs) and any(x > y for x, y in pairs)

    expected = [k for k, p in enumerate(points) if not any(dominates(q, p) for q in points)]
    assert front(points, directions) == expected
