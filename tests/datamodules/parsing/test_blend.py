"""Blends in words."""

import pytest

from datamodules.parsing.blend import in_words, targets_of
from datamodules.support.errors import AtelierError


@pytest.mark.parametrize(
    ("style", "targets"),
    [
        ("fire", [("fire", 1.0)]),
        ("black + white", [("black + white", 1.0)]),
        ("0.7*Van Gogh + 0.3*Hokusai", [("Van Gogh", 0.7), ("Hokusai", 0.3)]),
        (" 2 * fire+.5*ice ", [("fire", 2.0), ("ice", 0.5)]),
        ("1*fire + 0*ice", [("fire", 1.0)]),
        ("3*fire", [("fire", 3.0)]),
    ],
)
def test_blends_in_words(style, targets):
    assert [(t.style, t.weight) for t in targets_of("x", style)] == targets


@pytest.mark.parametrize("style", ["-1*fire + 2*ice", "0*fire + 0*ice", "0.5*fire + ice"])
def test_blends_that_make_no_sense_are_refused(style):
    with pytest.raises(AtelierError, match="weight"):
        targets_of("x", style)


def test_a_blend_is_written_as_it_is_read():
    blend = ((0.7, "Van Gogh"), (0.3, "Hokusai"))
    assert [(t.weight, t.style) for t in targets_of("x", in_words(blend))] == [*blend]
    assert in_words(((1.0, "fire"),)) == "fire"
