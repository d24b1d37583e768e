"""Choice among instances, on masks of squares."""

from __future__ import annotations

import logging

import pytest
import torch
from torch import Tensor

from datamodules.segmentation.base import ObjectNotFoundError
from datamodules.segmentation.operations.choice import Choice
from datamodules.segmentation.operations.instances import choose, distinct

# Left, top and side of five squares on 100 x 100 px.
ROW = [(40, 40, 12), (5, 42, 8), (80, 38, 16), (22, 41, 10), (62, 39, 14)]


def squares(*boxes: tuple[int, int, int]) -> Tensor:
    """Masks (N, 100, 100) of squares with a left side, a top and a side length in px."""
    masks = torch.full((len(boxes), 100, 100), 0.1)
    for mask, (x, y, side) in zip(masks, boxes, strict=True):
        mask[y : y + side, x : x + side] = 0.9
    return masks


def indices(phrase: str, *boxes: tuple[int, int, int]) -> list[int]:
    return choose(squares(*boxes), torch.linspace(0.9, 0.5, len(boxes)), Choice.of(phrase))


@pytest.mark.parametrize(
    ("phrase", "expected"),
    [
        ("dog", [0, 1, 2, 3, 4]),
        ("the left dog", [1]),
        ("the rightmost dog", [2]),
        ("the second dog from the left", [3]),
        ("the second dog from the right", [4]),
        ("the third dog", [0]),
        ("the dog in the middle", [0]),
        ("the three dogs in the middle", [0, 3, 4]),
        ("the largest dog", [2]),
        ("the smallest dog", [1]),
        ("the second largest dog", [4]),
        ("the two smallest dogs", [1, 3]),
        ("the two dogs on the left", [1, 3]),
        ("the dogs on the left", [0, 1, 3]),
        ("the largest dog on the left", [0]),
        ("the fifth dog from the left", [2]),
    ],
)
def test_a_phrase_chooses_among_a_row(phrase, expected):
    assert sorted(indices(phrase, *ROW)) == expected


def test_up_and_down_and_corners_choose_too():
    windows = (10, 10, 20), (70, 12, 20), (10, 70, 20), (70, 72, 20), (40, 44, 12)
    assert indices("the upper left window", *windows) == [0]
    assert indices("the window at the bottom right", *windows) == [3]
    assert sorted(indices("the upper windows", *windows)) == [0, 1]
    column = (40, 70, 10), (42, 5, 10), (38, 40, 10)
    assert indices("the middle window", *column) == [2]
    assert indices("the top window", *column) == [1]


@pytest.mark.parametrize(
    ("phrase", "sentence"),
    [
        ("the middle dog", 'Two of "dog" suit the phrase equally well; choose by another place'),
        ("the third dog from the left", 'shows "dog" 2 times.*too few for the choice'),
        ("the three largest dogs", 'shows "dogs" 2 times'),
        ("the dogs at the bottom", "0 times where it is looked for"),
        ("the largest dog at the bottom", "0 times where it is looked for"),
    ],
)
def test_a_choice_that_cannot_be_made_is_refused(phrase, sentence):
    with pytest.raises(ObjectNotFoundError, match=sentence) as caught:
        indices(phrase, (10, 10, 20), (60, 10, 30))
    assert "\n" not in str(caught.value)


def test_an_only_instance_must_reach_the_side_that_is_named():
    assert indices("the left dog", (30, 40, 30)) == [0]
    assert indices("the middle dog", (80, 40, 10)) == [0]
    with pytest.raises(ObjectNotFoundError, match="0 times where it is looked for"):
        indices("the left dog", (60, 40, 30))


def test_a_narrow_choice_is_made_with_a_warning(caplog):
    with caplog.at_level(logging.WARNING):
        assert indices("the upper window", (10, 11, 20), (60, 10, 20)) == [1]
        assert "almost equally well" in caplog.text
        caplog.clear()
        assert indices("the left window", (10, 11, 20), (60, 10, 20)) == [0]
        assert not caplog.text


def test_a_second_mask_of_the_same_instance_does_not_count():
    boxes = (10, 10, 20), (11, 10, 20), (60, 10, 20)
    assert indices("the second dog from the left", *boxes) == [2]
    masks = squares(*boxes)
    assert distinct(masks, torch.tensor([0.5, 0.9, 0.7])) == [1, 2]


def test_masks_without_a_pixel_are_no_instances():
    empty = torch.full((2, 8, 8), 0.4)
    with pytest.raises(ObjectNotFoundError, match="covers no pixel"):
        choose(empty, torch.ones(2), Choice.of("dog"))
