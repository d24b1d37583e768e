"""Syntax trees, and the pipeline that makes them."""

from dataclasses import replace

import pytest

from datamodules.models.packaged import ENGLISH, locate
from datamodules.parsing.syntax import Text, tree
from datamodules.support.errors import AtelierError


def test_titles_and_blends_come_back_as_they_were_written():
    text = Text.of('Turn "The Kiss" to 0.5*pop art + 0.5*gold, don\'t wait')
    first, second = text.originals
    assert text.text == f"Turn {first} to {second}, don't wait"
    assert text.as_written(f"{first} by Klimt") == "The Kiss by Klimt"
    assert text.as_written(second) == "0.5*pop art + 0.5*gold"


def test_a_word_with_a_hyphen_is_one_word():
    assert [t.text for t in tree("Turn the ukiyo-e cat")] == ["Turn", "the", "ukiyo-e", "cat"]


def test_an_altered_or_missing_pipeline_is_refused():
    with pytest.raises(AtelierError, match=r"corrupt .*pip install"):
        locate(replace(ENGLISH, sha256="0" * 64))
    with pytest.raises(AtelierError, match="missing; run: pip install"):
        locate(replace(ENGLISH, package="no_such_package"))
