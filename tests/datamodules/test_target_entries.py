"""Targets as JSON objects, and back."""

import json

import pytest

from datamodules.target_entries import entry_of, target_of
from datamodules.task import StyleTarget


@pytest.mark.parametrize(
    ("target", "text"),
    [
        (StyleTarget("cat", "fire"), '{"object": "cat", "style": "fire"}'),
        (StyleTarget("", "ice", 0.5), '{"object": "", "style": "ice", "weight": 0.5}'),
        (
            StyleTarget("", "ice", exceptions=("cat", "cup")),
            '{"object": "", "style": "ice", "except": ["cat", "cup"]}',
        ),
    ],
)
def test_a_target_has_one_form_in_json(target, text):
    assert json.dumps(entry_of(target)) == text
    assert target_of(json.loads(text)) == target


@pytest.mark.parametrize(
    ("entry", "sentence"),
    [
        ([], "a target without object and style"),
        ({"object": "cat"}, "a target without object and style"),
        ({"object": "cat", "style": None}, "style is no text"),
        ({"object": "cat", "style": "x", "weight": True}, "weight is no number"),
        ({"object": "cat", "style": "x", "weight": 10**400}, "weight is no number"),
        ({"object": "cat", "style": "x", "except": "ear"}, "except is no list of phrases"),
        ({"object": "cat", "style": "x", "except": [" "]}, "except is no list of phrases"),
    ],
)
def test_what_is_no_target_is_refused(entry, sentence):
    with pytest.raises(ValueError, match=sentence):
        target_of(entry)
