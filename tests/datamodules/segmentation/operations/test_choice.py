"""Words of place, order, number and size in a phrase."""

from __future__ import annotations

import pytest

from datamodules.segmentation.operations.choice import Choice
from datamodules.support.errors import AtelierError

LEFT, RIGHT, UP, DOWN, MIDDLE = (-2, 0), (2, 0), (0, -1), (0, 1), (0, 0)


@pytest.mark.parametrize(
    ("phrase", "choice"),
    [
        ("the left dog", Choice("dog", LEFT, count=1)),
        ("The white dog on the left", Choice("white dog", LEFT, count=1)),
        ("the second car from the left", Choice("car", LEFT, nth=2, count=1)),
        ("third window from the right", Choice("window", RIGHT, nth=3, count=1)),
        ("the 3rd car", Choice("car", LEFT, nth=3, count=1)),
        ("the largest boat", Choice("boat", size=1, count=1)),
        ("the smallest of the boats", Choice("boats", size=-1, count=1)),
        ("the larger of the two dogs", Choice("dogs", size=1, count=1)),
        ("the second largest boat", Choice("boat", size=1, nth=2, count=1)),
        ("the two largest boats", Choice("boats", size=1, count=2)),
        ("the biggest dog on the right", Choice("dog", RIGHT, 1, count=1)),
        ("the dog, the one in the middle", Choice("dog", MIDDLE, count=1)),
        ("the central flower", Choice("flower", MIDDLE, count=1)),
        ("the upper window", Choice("window", UP, count=1)),
        ("the lowermost window", Choice("window", DOWN, count=1)),
        ("the upper left window", Choice("window", (-2, -1), count=1)),
        ("the dog in the bottom right corner of the picture", Choice("dog", (2, 1), count=1)),
        ("the dog that is on the far left", Choice("dog", LEFT, count=1)),
        ("the man on the left in a red top", Choice("man in a red top", LEFT, count=1)),
        ("both dogs on the left-hand side", Choice("dogs", LEFT, count=2)),
        ("the dogs on the left", Choice("dogs", LEFT, count=0)),
        ("the women on the right", Choice("women", RIGHT, count=0)),
        ("the bus on the right", Choice("bus", RIGHT, count=1)),
        ("my left shoe", Choice("shoe", LEFT, count=1)),
    ],
)
def test_words_of_choice_are_read_and_leave_the_phrase(phrase, choice):
    assert Choice.of(phrase) == choice


@pytest.mark.parametrize(
    "phrase",
    [
        "white sailboat on the sea",
        "two dogs",
        "woman in the red top",
        "middle-aged man",
        "second-hand car",
        "woman to the left of the tree",
        "man with the largest hat",
        "topping of leftovers",
    ],
)
def test_other_phrases_mean_all_instances(phrase):
    choice = Choice.of(f"the {phrase}")
    assert choice.everything
    assert choice.subject == phrase


@pytest.mark.parametrize(
    ("phrase", "sentence"),
    [
        ("the one in the middle", "names no object"),
        ("the largest", "names no object"),
        ("the largest boats", "does not say how many"),
    ],
)
def test_a_choice_without_object_or_number_is_refused(phrase, sentence):
    with pytest.raises(AtelierError, match=sentence):
        Choice.of(phrase)
