"""Answers that a worker gives on another host only: none at all, or one from another folder."""

import time
from types import SimpleNamespace

import pytest

from datamodules.support.errors import AtelierError
from experiments.campaigns import dispatch, signs
from experiments.campaigns.job import Job
from experiments.campaigns.making import Outcome
from experiments.campaigns.workers import Workers

JOB = Job({}, {}).under("0123")


class FarRay:
    """Ray's calls for one node, h2, with a processor and a worker.

    answer: of the worker, as `dispatch._make` returns it; None for a worker that never answers.
    """

    exceptions = SimpleNamespace(
        RayError=OSError, WorkerCrashedError=OSError, OutOfMemoryError=OSError
    )

    def __init__(self, answer=None):
        self.answer = answer

    def get_runtime_context(self):
        return SimpleNamespace(get_node_id=lambda: "h2")

    def nodes(self):
        return [{"NodeID": "h2", "Alive": True, "Resources": {"CPU": 1.0}}]

    def remote(self, **share):
        return lambda task: SimpleNamespace(remote=lambda *words: "a reference")

    def wait(self, references, num_returns, timeout):
        return (references, []) if self.answer else ([], references)

    def get(self, reference, timeout):
        return self.answer


def run(ray, root, **workers):
    """Hand out one job: the sentence that ends it, and what was sent before."""
    sent, deadline = [], time.monotonic() + 10
    # A closed pipe ends what would go on for ever.
    pipe = SimpleNamespace(send=sent.append, poll=lambda: time.monotonic() > deadline)
    with pytest.raises(AtelierError) as caught:
        dispatch.Dispatch(ray, Workers(**workers), root, pipe).run([JOB], again=False)
    return str(caught.value), [message for message in sent if message]


def test_a_sweep_in_which_nothing_moves_ends_after_its_patience(tmp_path, monkeypatch):
    monkeypatch.setattr(dispatch, "LOOK", 0.01)
    sentence, sent = run(FarRay(), tmp_path, patience=0.3)
    assert sent == ["for 0 s nothing has moved; waiting for a worker with 1 CPU"]
    assert sentence.startswith("No run has begun, gone on or ended for 0 s, waiting for a worker")
    assert "(--patience S waits longer)" in sentence


def test_a_run_that_is_done_where_the_driver_cannot_see_it_is_never_done(tmp_path, monkeypatch):
    monkeypatch.setattr(signs, "UNSEEN", 0.1)
    sentence, sent = run(FarRay(("h2", [Outcome("0123", "done")])), tmp_path)
    assert sent == []
    assert sentence == (
        f"A worker on h2 has finished a run, and there is no result in {tmp_path}/runs/0123 here; "
        "give a folder with --out that all nodes share"
    )
