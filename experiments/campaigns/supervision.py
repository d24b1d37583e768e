"""Supervision of the process in which Ray hands out jobs.

Ray may take its whole process with it, or block it, when its cluster dies; then this process says
so, and goes on with a new cluster if the old one was our own.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext, suppress
from multiprocessing import Pipe
from pathlib import Path
from typing import TYPE_CHECKING, Any

from datamodules.support.errors import AtelierError
from experiments.campaigns.cluster import refuses, session
from experiments.campaigns.dispatch import ClusterError, End, Joined, ended_outcome
from experiments.campaigns.job import Job
from experiments.campaigns.making import Outcome

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

    from experiments.campaigns.workers import Workers

START = 180.0  # seconds for the start of Ray, or its refusal
LOOK = 5.0  # seconds of silence, after which we look whether the cluster's head listens
SILENCE = 90.0  # seconds of silence, after which it is dead or its network is cut
GOODBYE = 10.0  # seconds for Ray's shutdown
PROGRAM = """
import sys
from multiprocessing.connection import Connection
pipe = Connection(int(sys.argv[1]))
sys.path[:] = pipe.recv()
from experiments.campaigns.dispatch import dispatch
dispatch(pipe, *pipe.recv())
"""


def make_on_ray(workers: Workers, jobs: Sequence[Job], root: Path) -> Iterator[Outcome]:
    """Outcomes of jobs that Ray's workers make, each as soon as there is one.

    A Ray of our own that dies is started again once. Raises AtelierError where that does not help,
    or another cluster is gone: the runs that are not done stay open.
    """
    left = {job.id: job for job in jobs}
    for again in (False, True):
        try:
            for outcome in _dispatched(workers, list(left.values()), root, again):
                if left.pop(outcome.id, None):
                    yield outcome
            return
        except ClusterError as lost:
            for outcome in [ended_outcome(job, root) for job in left.values()]:
                if outcome:
                    del left[outcome.id]
                    yield outcome
            if not left:
                return
            if workers.address or again:
                raise AtelierError(_farewell(workers.address, lost, len(left))) from lost
            print(f"atelier: Ray has died ({lost}); it is started again", file=sys.stderr)


def _farewell(address: str, lost: ClusterError, left: int) -> str:
    what = f"The Ray cluster at {address} is gone" if address else "Ray has died a second time"
    return f"{what} ({lost}); {left} runs are open, and the same command goes on with them"


def _dispatched(
    workers: Workers, jobs: Sequence[Job], root: Path, again: bool
) -> Iterator[Outcome]:
    """Outcomes from a process with Ray; ClusterError when its cluster dies."""
    with (
        nullcontext("") if workers.address else session(root) as folder,
        _process(workers, jobs, root, folder, again) as pipe,
    ):
        yield from _received(pipe)


@contextmanager
def _process(*words: Any) -> Iterator[Connection]:
    """A process that calls `dispatch` with a pipe and these words; the pipe's other end."""
    ours, theirs = Pipe()
    with ours:
        with theirs:
            # In a session of its own, where a Ctrl-C that is meant for us does not reach it.
            process = subprocess.Popen(
                [sys.executable, "-c", PROGRAM, str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                start_new_session=True,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,  # Ray repeats there, at length, what the outcomes say
                stderr=subprocess.DEVNULL,
            )
        try:
            ours.send(sys.path)
            ours.send(words)
            yield ours
        except ClusterError:
            process.kill()  # its shutdown would wait for the dead
            raise
        except BaseException:
            process.terminate()
            raise
        finally:
            with suppress(subprocess.TimeoutExpired):
                process.wait(GOODBYE)
            process.kill()
            process.wait()


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
        except (EOFError, ConnectionError) as error:
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
