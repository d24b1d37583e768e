"""The forms of a wish: forms.yaml explains them by examples, which are read here."""

from pathlib import Path

import pytest
import yaml

from datamodules.parsing import forms
from datamodules.parsing.syntax import tree

TABLE = yaml.safe_load(Path(forms.__file__).with_suffix(".yaml").read_text(encoding="utf-8"))


def test_the_table_explains_every_form():
    assert set(TABLE) == {form.__name__ for form in forms.FORMS} | {"labels"}
    assert all(row["says"] and row["examples"] for row in TABLE.values())


@pytest.mark.parametrize(
    ("form", "text", "object", "style"),
    [(form, *example) for form, row in TABLE.items() for example in row["examples"]],
)
def test_an_example_of_the_table_is_read_by_its_form(form, text, object, style):
    best = forms.readings(tree(text))[0]
    assert (best.form, best.object, best.style) == (form, object, style)


def test_where_attachments_are_doubtful_each_gives_a_reading():
    text = "Paint the girl with the red umbrella in watercolor"
    pairs = {(reading.object, reading.style) for reading in forms.readings(tree(text))}
    assert ("girl with the red umbrella", "watercolor") in pairs
    assert len(pairs) > 1
