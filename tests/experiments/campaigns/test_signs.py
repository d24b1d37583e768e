"""Signs of life of runs that other hosts make."""

import os

import pytest

from datamodules.support.errors import AtelierError
from experiments.campaigns import signs
from experiments.campaigns.signs import Patience, beating, wait_for_result
from tests.support.waiting import wait_until


def test_a_run_that_goes_on_shows_it(tmp_path, monkeypatch):
    monkeypatch.setattr(signs, "BEAT", 0.01)
    folder = tmp_path / "run"
    with beating([folder]):  # before anything has made its folder
        folder.mkdir()
        os.utime(folder, (1, 1))
        wait_until(lambda: folder.stat().st_mtime > 1, "the folder is not touched")


def test_patience_ends_once_nothing_moves_and_says_what_is_missing(tmp_path, monkeypatch):
    clock, messages = [0.0], []
    monkeypatch.setattr(signs.time, "monotonic", lambda: clock[0])
    patience = Patience(300, messages.append)
    run = tmp_path / "0123"

    def look(seconds):
        clock[0] += seconds
        patience.look([run], "a worker with 2 CPU")

    look(0)
    look(100)
    look(1)
    assert messages == ["for 100 s nothing has moved; waiting for a worker with 2 CPU"]
    run.mkdir()
    for second in range(1, 10):  # it goes on
        os.utime(run, (second, second))
        look(200)
    look(250)
    assert len(messages) == 2
    assert messages[1] == "for 250 s nothing has moved; waiting for a sign of 0123"
    patience.look([], "a worker with 2 CPU")  # the run has ended
    look(299)  # and the next one is handed out
    look(299)
    with pytest.raises(AtelierError, match="No run has begun, gone on or ended for 301 s, waiting"):
        look(2)


def test_a_result_that_nobody_can_see_here_is_an_error(tmp_path, monkeypatch):
    monkeypatch.setattr(signs, "UNSEEN", 0.1)
    run = tmp_path / "run"

    def appears():
        run.mkdir()
        (run / "result.json").touch()

    wait_for_result(run, "h2", appears)  # late, as on shared file systems
    with pytest.raises(AtelierError, match=r"on h2 has finished .* --out that all nodes share"):
        wait_for_result(tmp_path / "elsewhere", "h2", lambda: None)
