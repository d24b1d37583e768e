"""A Ray that never starts, or falls silent, as the process sees it that waits for its answers."""

import pytest

from datamodules.support.errors import AtelierError
from experiments.campaigns import supervision
from experiments.campaigns.job import Job
from experiments.campaigns.supervision import OnRay
from experiments.campaigns.workers import Workers

# A process that would hand out jobs, and does not get as far.
STUCK = """
import sys, time
from multiprocessing.connection import Connection
pipe = Connection(int(sys.argv[1]))
sys.path[:] = pipe.recv()
{first}
time.sleep(10)
"""
JOIN = """
from experiments.campaigns.dispatch import Joined
pipe.send(Joined(""))
"""


@pytest.mark.parametrize(
    ("limit", "first"), [("START", ""), ("SILENCE", JOIN)], ids=["never starts", "falls silent"]
)
def test_a_ray_that_does_not_answer_is_started_again_once_and_then_said(
    tmp_path, monkeypatch, capsys, limit, first
):
    monkeypatch.setattr(supervision, "PROGRAM", STUCK.format(first=first))
    monkeypatch.setattr(supervision, "LOOK", 0.05)
    monkeypatch.setattr(supervision, limit, 0.1)
    with pytest.raises(AtelierError) as caught:
        list(OnRay(Workers(), tmp_path).make([Job({}, {}).under("0123")]))
    silence = "(it has not answered for 0 s)"
    assert capsys.readouterr().err == f"atelier: Ray has died {silence}; it is started again\n"
    assert str(caught.value) == (
        f"Ray has died a second time {silence}; open runs: 1; the same command goes on with them"
    )
    assert not list(tmp_path.glob(".ray-*"))
