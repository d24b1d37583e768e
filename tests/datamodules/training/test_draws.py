"""Numbers of samples: passes over all cards, and equal shares of every step."""

from itertools import islice

import pytest

from datamodules.support.errors import AtelierError
from datamodules.training.draws import Shares, card


def test_every_card_comes_once_in_each_pass_and_passes_differ():
    passes = [[card(0, 1, 7 * turn + place, 7) for place in range(7)] for turn in range(6)]
    assert all(sorted(cards) == list(range(7)) for cards in passes)
    assert len({tuple(cards) for cards in passes}) > 3
    assert passes != [[card(1, 1, 7 * t + place, 7) for place in range(7)] for t in range(6)]


def batches(count, *settings):
    return list(islice(Shares(*settings), count))


def test_processes_and_accumulated_batches_divide_each_step_among_them():
    whole = batches(3, 8)
    assert whole == [list(range(8 * step, 8 * step + 8)) for step in range(3)]
    shares = [batches(6, 8, 0, 2, 2, rank) for rank in (0, 1)]
    for step in range(3):
        parts = [number for rank in (0, 1) for own in shares[rank][2 * step : 2 * step + 2]
                 for number in own]  # fmt: skip
        assert sorted(parts) == whole[step]


def test_a_later_first_step_takes_the_samples_that_it_would_have_had():
    assert batches(2, 6, 5, 3, 1, 0) == batches(17, 6, 0, 3, 1, 0)[15:17]


@pytest.mark.parametrize("settings", [(0,), (6, 0, 4), (4, 0, 2, 4)])
def test_a_step_that_cannot_be_divided_equally_is_refused(settings):
    with pytest.raises(AtelierError, match="give --batch a multiple of"):
        Shares(*settings)
