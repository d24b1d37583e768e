"""Sentences as the page shows them."""

import pytest

from datamodules.masking import BY_HAND
from datamodules.segmentation.operations.instances import REMEDY

pytest.importorskip("gradio", reason="needs the extra [studio]")
pytestmark = pytest.mark.xdist_group("gradio")  # one worker imports it, which takes seconds


@pytest.mark.parametrize("remedy", [BY_HAND, REMEDY])
def test_remedies_of_the_command_line_become_those_of_the_page(remedy):
    from experiments.studio.studio import say

    shown = say(f"The cat was not found; {remedy}")
    assert "--" in remedy and "--" not in shown
    assert "with the brush" in shown


def test_text_is_shown_as_it_is():
    from experiments.studio.studio import say

    assert say("<b>", "warning") == '<p class="warning">&lt;b&gt;</p>'
    assert say("") == ""
