"""Supervision of the process in which Ray hands out jobs.

Ray may take its whole process with it, or block it, when its cluster dies; then this process says
so, and goes on with a new cluster if the old one was our own.
"""

from __future__ import annotations

import multiprocessing
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from datamodules.support.errors import AtelierError
from experiments.campaigns.cluster import refuses, session
from experiments.campaigns.dispatch import ClusterError, End, Joined, dispatch, ended_outcome
from experiments.campaigns.job import Job
from experiments.campaigns.making import Outcome

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

    from experiments.campaigns.workers import Workers

START = 180.0  # seconds for the start of Ray, or its refusal
LOOK = 5.0  # seconds of silence, after which we look whether the cluster's head listens
SILENCE = 90.0  # seconds of silence, after which it is dead or its network is cut
GOODBYE = 10.0  # seconds for Ray's shutdown


def make_on_ray(workers: Workers, jobs: Sequence[Job], root: Path) -> Iterator[Outcome]:
    """Outcomes of jobs that Ray's workers make, each as soon as there is one.

    A Ray of our own that dies is started again once. Raises AtelierError where that does not help,
    or another cluster is gone: the runs that are not done stay open.
    """
    left = {job.id: job for job in jobs}
    for again in (False, True):
        try:
            for outcome in _dispatched(workers, list(left.values()), root, again):
                del left[outcome.id]
                yield outcome
            return
        except ClusterError as lost:
            for outcome in [ended_outcome(job, root) for job in left.values()]:
                if outcome:
                    del left[outcome.id]
                    yield outcome
            if workers.address or again:
                raise AtelierError(_farewell(workers.address, lost, len(left))) from lost
            if left:
                print(f"atelier: Ray has died ({lost}); it is started again", file=sys.stderr)


def _farewell(address: str, lost: ClusterError, left: int) -> str:
    what = f"The Ray cluster at {address} is gone" if address else "Ray has died a second time"
    return f"{what} ({lost}); {left} runs are open, and the same command goes on with them"


def _dispatched(
    workers: Workers, jobs: Sequence[Job], root: Path, again: bool
) -> Iterator[Outcome]:
    """Outcomes from a process with Ray; ClusterError when its cluster dies."""
    context = multiprocessing.get_context("spawn")  # a fork would inherit torch's threads
    ours, theirs = context.Pipe(duplex=False)
    with nullcontext("") if workers.address else session(root) as folder:
        words = (theirs, workers, jobs, root, folder, again)
        process = context.Process(target=dispatch, args=words, daemon=True)
        process.start()
        theirs.close()
        try:
            yield from _received(ours)
        except ClusterError:
            process.kill()  # its shutdown would wait for the dead
            raise
        except BaseException:
            process.terminate()
            raise
        finally:
            process.join(GOODBYE)
            process.kill()
            process.join()


def _received(pipe: Connection) -> Iterator[Outcome]:
    """Outcomes as they come; errors as `_dispatched`."""
    head, patience, heard = "", START, time.monotonic()
    while True:
        if not pipe.poll(LOOK):
            if head and refuses(head):
                raise ClusterError(f"nothing listens at {head} any more")
            if time.monotonic() > heard + patience:
                raise ClusterError(f"it has not answered for {patience:.0f} s")
            continue
        heard = time.monotonic()
        try:
            message = pipe.recv()
        except EOFError as error:
            raise ClusterError("its processes have ended") from error
        if isinstance(message, Outcome):
            yield message
        elif isinstance(message, Joined):
            head, patience = message.head, SILENCE
        elif isinstance(message, str):
            print(f"atelier: {message}", file=sys.stderr)
        elif isinstance(message, End):
            if message.error:
                raise message.error
            return
