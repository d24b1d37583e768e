"""Supervision of the process in which Ray hands out jobs.

Ray may take its whole process with it, or block it, when its cluster dies; then this process says
so, and goes on with a new cluster if the old one was our own.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, nullcontext, suppress
from dataclasses import dataclass
from multiprocessing import Pipe
from pathlib import Path
from typing import TYPE_CHECKING

from datamodules.support.errors import AtelierError
from experiments.campaigns.cluster import check, refuses, session
from experiments.campaigns.dispatch import Batch, ClusterError, End, Joined, ended_outcome
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


class OnRay:
    """Ray's workers, which make jobs in the folder of a campaign.

    Ray starts with the first jobs, and stays until `end`, with the networks that its workers have
    loaded. workers: their number and resources.
    """

    def __init__(self, workers: Workers, root: Path) -> None:
        self.workers, self.root = workers, root
        self._dispatcher: Dispatcher | None = None
        self._at_end = ExitStack()

    def make(self, jobs: Sequence[Job]) -> Iterator[Outcome]:
        """Outcomes of jobs, each as soon as there is one.

        A Ray of our own that dies is started again once. Raises AtelierError where that does not
        help, or another cluster is gone: the runs that are not done stay open.
        """
        if self.workers.address and not self._dispatcher:
            check(self.workers.address)
        return self._outcomes({job.id: job for job in jobs})

    def _outcomes(self, unfinished: dict[str, Job]) -> Iterator[Outcome]:
        address = self.workers.address
        for again in (False, True):
            try:
                batch = Batch(list(unfinished.values()), again)
                for outcome in self._ready().outcomes(batch):
                    if unfinished.pop(outcome.id, None):
                        yield outcome
                return
            except ClusterError as lost:
                self.end(at_once=True)
                for outcome in [ended_outcome(job, self.root) for job in unfinished.values()]:
                    if outcome:
                        del unfinished[outcome.id]
                        yield outcome
                if not unfinished:
                    return
                if address or again:
                    raise AtelierError(_farewell(address, lost, len(unfinished))) from lost
                print(f"atelier: Ray has died ({lost}); it is started again", file=sys.stderr)

    def _ready(self) -> Dispatcher:
        if not self._dispatcher:
            process = dispatcher(self.workers, self.root)
            self._dispatcher = self._at_end.enter_context(process)
        return self._dispatcher

    def end(self, at_once: bool = False) -> None:
        """End Ray. at_once: without its shutdown, which would wait for the dead."""
        if at_once and self._dispatcher:
            self._dispatcher.process.kill()
        self._dispatcher = None
        self._at_end.close()


def _farewell(address: str, lost: ClusterError, unfinished: int) -> str:
    what = f"The Ray cluster at {address} is gone" if address else "Ray has died a second time"
    return f"{what} ({lost}); open runs: {unfinished}; the same command goes on with them"


@dataclass
class Dispatcher:
    """A process that calls `dispatch`, and our end of its pipe.

    head: HOST:PORT of its cluster, "" until it has joined.
    """

    process: subprocess.Popen
    pipe: Connection
    head: str = ""

    def outcomes(self, batch: Batch) -> Iterator[Outcome]:
        """Outcomes as they come; ClusterError when the cluster dies."""
        if not self.head:
            joined = next(self._messages(START))
            self.head = joined.head
        with _still_there():
            self.pipe.send(batch)
        yield from self._messages(SILENCE)

    def _messages(self, patience: float) -> Iterator[Joined | Outcome]:
        """Messages up to an End, which may raise its error; what is for people goes to stderr.

        patience: seconds of silence, after which the cluster is dead.
        """
        heard = time.monotonic()
        while True:
            if not self.pipe.poll(LOOK):
                if self.head and refuses(self.head):
                    raise ClusterError(f"nothing listens at {self.head} any more")
                if time.monotonic() > heard + patience:
                    raise ClusterError(f"it has not answered for {patience:.0f} s")
                continue
            heard = time.monotonic()
            with _still_there():
                message = self.pipe.recv()
            if isinstance(message, str):
                print(f"atelier: {message}", file=sys.stderr)
            elif isinstance(message, End):
                if message.error:
                    raise message.error
                return
            elif message:
                yield message


@contextmanager
def _still_there() -> Iterator[None]:
    """ClusterError for a pipe whose other end is closed."""
    try:
        yield
    except (EOFError, ConnectionError) as error:
        raise ClusterError("its processes have ended") from error


@contextmanager
def dispatcher(workers: Workers, root: Path) -> Iterator[Dispatcher]:
    """A Dispatcher that has started to join or start a cluster."""
    ours, theirs = Pipe()
    with nullcontext("") if workers.address else session(root) as folder, ours:
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
            ours.send((workers, root, folder))
            yield Dispatcher(process, ours)
        finally:
            process.terminate()
            with suppress(subprocess.TimeoutExpired):
                process.wait(GOODBYE)
            process.kill()
            process.wait()
