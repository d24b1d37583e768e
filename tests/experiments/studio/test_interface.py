"""The HTTP interface of the page."""

from types import SimpleNamespace

import pytest

from datamodules.task import StyleTarget
from experiments.studio.tasks import Reading
from experiments.studio.visits import HEADER

pytest.importorskip("gradio", reason="needs the extra [studio]")
pytestmark = pytest.mark.xdist_group("gradio")  # one worker imports it, which takes seconds


def test_calls_of_programs_leave_nothing_in_memory():
    """Each has a name of its own, and none says that it is over, as a closed tab does."""
    from experiments.studio.interface import Interface
    from experiments.studio.studio import Studio

    class Desk:
        def submit(self, session, task, page):
            return SimpleNamespace(result=lambda: Reading((StyleTarget("cat", "fire"),), ()))

    studio = Studio(Desk(), sessions=None, models="embedded")
    for call in "abc":
        request = SimpleNamespace(headers={HEADER: "0" * 32}, session_hash=call)
        answer = Interface(studio).parse("Turn the cat to fire", request)
        assert answer == [{"object": "cat", "style": "fire"}]
    assert not studio._tabs
