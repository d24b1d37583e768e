"""Phrases that name one object, several, or all but some."""

import pytest

from datamodules.parsing.phrases import read_phrase
from datamodules.support.errors import AtelierError
from datamodules.task import BACKGROUND


@pytest.mark.parametrize(
    ("phrase", "names"),
    [
        ("everything except the cat", [("", "cat")]),
        ("everything but the sky", [("", "sky")]),
        ("all but the man in the hat", [("", "man in the hat")]),
        ("the whole picture apart from the dog and the ball", [("", "dog", "ball")]),
        ("all the animals except the dog", [("animals", "dog")]),
        ("the cat and the cup", [("cat",), ("cup",)]),
        ("the cat, the cup and the saucer", [("cat",), ("cup",), ("saucer",)]),
        ("the whole picture", [("",)]),
        ("the background", [(BACKGROUND,)]),
        ("the girl with the cup and the saucer", [("the girl with the cup and the saucer",)]),
        ("white sailboat", [("white sailboat",)]),
        ("Black Horse on the left", [("Black Horse on the left",)]),
    ],
)
def test_a_phrase_names_its_objects(phrase, names):
    assert [(t.object, *t.exceptions) for t in read_phrase(phrase)] == names


def test_the_rest_of_nothing_is_refused():
    with pytest.raises(AtelierError, match="does not say what is left out"):
        read_phrase("everything else")
