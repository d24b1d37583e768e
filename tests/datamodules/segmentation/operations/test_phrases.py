"""Words of place."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from datamodules.images import to_picture
from datamodules.segmentation.operations.phrases import direction, place
from experiments.measure.mask_quality import cropped


@pytest.mark.parametrize(
    ("phrase", "towards"),
    [("the man at the top", (0, -1)), ("leftmost man", (-2, 0)), ("man in the middle", (0, 0))],
)
def test_words_of_place_have_directions(phrase, towards):
    assert direction(phrase) == towards
    assert direction("the man") is None


def test_a_crop_lies_between_its_shares():
    picture = to_picture(torch.rand(3, 40, 60))
    part = np.asarray(cropped(picture, (0.5, 0, 1, 0.25)))
    assert np.array_equal(part, np.asarray(picture)[:10, 30:])


@pytest.mark.parametrize(
    ("phrase", "best"),
    [
        ("the boat on the left", (2, 0)),
        ("the rightmost boat", (2, 4)),
        ("boat at the very top", (0, 2)),
        ("the flower in the middle", (2, 2)),
        ("the lower window", (4, 2)),
    ],
)
def test_words_of_place_suit_one_position_best(phrase, best):
    agreement = place(phrase, (5, 5))
    assert agreement.min() >= -1 and agreement.max() == 1
    assert agreement[best] == 1


def test_most_phrases_name_no_place():
    assert place("the white sailboat", (5, 5)) is None
    assert place("a topping of leftovers", (5, 5)) is None
