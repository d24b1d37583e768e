"""Details of a run."""

import math

from datamodules.run_folder import PARSE
from evaluation.report.details import read_details, thinned


def test_losses_are_thinned_and_keep_their_ends():
    totals = [step / 2 for step in range(1001)]
    for points in (2, 49, 50, 1000, 1001, 2000):
        losses = thinned(totals, points)
        assert 2 <= len(losses) <= points
        assert (losses[0], losses[-1]) == (0, 500)
        assert losses == sorted(set(losses))
    assert thinned([math.nan, 2.0]) == [None, 2]
    assert thinned([]) == []


def test_targets_are_named_with_what_stays_as_it_is(tmp_path):
    (tmp_path / PARSE).write_text('[{"object": "", "style": "ice", "except": ["cat", "her hat"]}]')
    assert read_details(tmp_path).targets == (("everything except the cat and her hat", "ice"),)
