"""Details of a run."""

import math

from evaluation.report.details import thinned


def test_losses_are_thinned_and_keep_their_ends():
    totals = [step / 2 for step in range(1001)]
    for points in (2, 49, 50, 1000, 1001, 2000):
        losses = thinned(totals, points)
        assert 2 <= len(losses) <= points
        assert (losses[0], losses[-1]) == (0, 500)
        assert losses == sorted(set(losses))
    assert thinned([math.nan, 2.0]) == [None, 2]
    assert thinned([]) == []
