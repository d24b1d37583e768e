"""Dispatch: jobs handed out to Ray's workers, and what becomes of them.

It runs in a process of its own (`supervision`), because Ray ends its process, or blocks it for
minutes, when its cluster dies. A worker's own crash counts against its run; whatever else goes
wrong (a node, the network, a signal to stop) leaves the run open, to be tried again.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from datamodules.support.errors import AtelierError, reason
from experiments.campaigns.cluster import cluster
from experiments.campaigns.job import Job
from experiments.campaigns.making import Outcome, after_death, make_jobs
from experiments.campaigns.shares import share_of
from experiments.campaigns.signs import Patience, beating, wait_for_result

if TYPE_CHECKING:
    from experiments.campaigns.workers import Workers

TICK = 0.5  # seconds between two looks at our own process
LOOK = 5.0  # seconds between two looks at files and nodes
LATE = 15.0  # seconds after a run's result is there until its worker's answer is given up
ANSWER = 30.0  # seconds to fetch a worker's answer that is ready
LOSSES = 5  # attempts at a run that the cluster may lose; then it is left open
# Variables of this process that its workers get too.
INHERITED = (
    "HF_HUB_OFFLINE",
    "HF_ENDPOINT",
    "HF_HOME",
    "ATELIER_TORCHVISION_URL",
    "TORCH_HOME",
    "ATELIER_CACHE",
    "XDG_CACHE_HOME",
    "WANDB_MODE",
    "PYTHONPATH",
)


class ClusterError(Exception):
    """The cluster has died, or cannot be reached."""


def inherited() -> dict[str, str]:
    """The variables of this process that workers get, too."""
    return {name: os.environ[name] for name in INHERITED if name in os.environ}


@dataclass(frozen=True)
class Batch:
    """Jobs for the workers.

    again: an earlier cluster has died, whose workers may still hold runs for a moment.
    variables: of the environment in which the batch was put together.
    """

    jobs: Sequence[Job]
    again: bool = False
    variables: Mapping[str, str] = field(default_factory=inherited)


@dataclass(frozen=True)
class Joined:
    """The first message of a dispatch: HOST:PORT of the cluster's head."""

    head: str


@dataclass(frozen=True)
class End:
    """The last message about a batch, with the error that has ended it."""

    error: Exception | None = None


@dataclass
class Attempt:
    """One or several jobs in the hands of a worker, or waiting for one.

    crashes: of earlier workers. losses: earlier attempts that the cluster has lost. due: the time
    (monotonic) before which it is not handed out. nodes: the ids of those that were alive when it
    was. done: the time since which all of its results are there, 0 = they are not.
    """

    jobs: list[Job]
    crashes: int = 0
    losses: int = 0
    due: float = 0.0
    nodes: frozenset[str] = frozenset()
    done: float = 0.0


def dispatch(pipe: Connection, workers: Workers, root: Path, session: str) -> None:
    """Make batches of jobs on Ray's workers, until nobody sends any more.

    pipe: gives Batches. It gets Joined, then for each Batch an Outcome per job and an End; lines
    for stderr (str); and None as a sign of life.
    session: the folder for the files of a cluster of our own.
    """
    try:
        # The errors are those of a pipe whose other end is closed.
        with cluster(workers.address, session) as ray, suppress(EOFError, ConnectionError):
            pipe.send(Joined(ray.get_runtime_context().gcs_address))
            while True:
                batch = pipe.recv()
                os.environ.update(batch.variables)
                # Before Ray shuts down, which takes long where its cluster is dead.
                pipe.send(_end_of(ray, workers, root, pipe, batch))
    except AtelierError as error:
        pipe.send(End(error))


def _end_of(ray: ModuleType, workers: Workers, root: Path, pipe: Connection, batch: Batch) -> End:
    """The end of a batch, once its jobs are made or that cannot go on."""
    try:
        Dispatch(ray, workers, root, pipe).run(batch.jobs, batch.again)
    except (AtelierError, ClusterError) as error:
        return End(error)
    except Exception as error:  # Ray raises many kinds
        return End(ClusterError(reason(error)))
    return End()


class Dispatch:
    """A batch: the attempts that wait and those that go on; `pipe` gets the messages."""

    def __init__(self, ray: ModuleType, workers: Workers, root: Path, pipe: Connection) -> None:
        self.ray, self.workers, self.root, self.pipe = ray, workers, root, pipe
        self.here, self.send = ray.get_runtime_context().get_node_id(), pipe.send
        self.nodes = self._alive()
        self.share = share_of(list(self.nodes.values()), workers.count)
        self.make = self._task()
        self.waiting: list[Attempt] = []
        self.going: dict[Any, Attempt] = {}
        self.patience = Patience(workers.patience, self.send)
        self.looked = time.monotonic()

    def _task(self) -> Any:
        """`make_jobs` as Ray's task, with a worker's share of its node."""
        share = {"num_cpus": self.share.cpus, "num_gpus": self.share.gpus}
        # CUDA stays on the GPU of a process's first task, while Ray may assign it another one.
        calls = int(any(node.get("GPU", 0) > 1 for node in self.nodes.values()))  # 0 = any number
        environment = {"env_vars": variables(self.workers.threads or self.share.threads)}
        task = self.ray.remote(**share, max_calls=calls, max_retries=0, runtime_env=environment)
        return task(_make)

    def _alive(self) -> dict[str, dict[str, float]]:
        """The resources of the nodes that are alive, by id."""
        return {node["NodeID"]: node["Resources"] for node in self.ray.nodes() if node["Alive"]}

    def run(self, jobs: Sequence[Job], again: bool) -> None:
        """Make the jobs; ClusterError or AtelierError where that cannot go on."""
        groups = self.workers.groups(jobs, self.share.workers, gpu=bool(self.share.gpus))
        self.waiting = [Attempt(group, losses=int(again)) for group in groups]
        while self.waiting or self.going:
            self._hand_out()
            if self.going:
                ready, _ = self.ray.wait(list(self.going), num_returns=1, timeout=TICK)
            else:
                ready = time.sleep(TICK) or []
            for ref in ready:
                self._settle(ref, self.going.pop(ref))
            self._watch()

    def _hand_out(self) -> None:
        """Give the attempts that are due to workers, as many as may run at a time."""
        free = max(0, self.share.workers - len(self.going))
        due = [attempt for attempt in self.waiting if attempt.due <= time.monotonic()]
        for attempt in due[:free]:
            self.waiting.remove(attempt)
            attempt.nodes = frozenset(self.nodes)
            ref = self.make.remote(attempt.jobs, self.root, self.workers.limit)
            self.going[ref] = attempt

    def _settle(self, ref: Any, attempt: Attempt) -> None:
        """Pass on the outcomes of an attempt that has ended, or try its jobs again."""
        crashes = self.ray.exceptions.WorkerCrashedError, self.ray.exceptions.OutOfMemoryError
        jobs = {job.id: job for job in attempt.jobs}
        try:
            host, outcomes = self.ray.get(ref, timeout=ANSWER)
        except self.ray.exceptions.RayError as error:
            self.nodes = self._alive()
            crashed = isinstance(error, crashes) and attempt.nodes <= self.nodes.keys()
            for job in attempt.jobs:
                (self._crashed if crashed else self._lost)(job, attempt, error)
        else:
            for outcome in outcomes:
                self._pass_on(outcome, jobs[outcome.id], attempt, host)

    def _pass_on(self, outcome: Outcome, job: Job, attempt: Attempt, host: str) -> None:
        again = attempt.losses or attempt.crashes
        if outcome.state == "open":
            self._lost(job, attempt, InterruptedError(f"a worker on {host} was told to stop"))
        elif outcome.state == "busy" and again:  # in the hands of a worker that we have lost
            self._try_again(job, attempt.crashes, attempt.losses)
        elif outcome.state == "skipped" and again:  # such a worker has finished it
            self.send(ended_outcome(job, self.root) or outcome)
        else:
            if outcome.state == "done":
                wait_for_result(job.folder(self.root), host, lambda: self.send(None))
            self.send(outcome)

    def _crashed(self, job: Job, attempt: Attempt, error: Exception) -> None:
        """Try a job again whose worker has crashed, or note its failure."""
        if ended := ended_outcome(job, self.root):
            self.send(ended)
        elif attempt.crashes + 1 < self.workers.tries:
            self._try_again(job, attempt.crashes + 1, attempt.losses)
        else:
            self.send(after_death(job, self.root, self.workers.limit, error))

    def _lost(self, job: Job, attempt: Attempt, error: Exception) -> None:
        """Try a job again that the cluster has lost, which is no failure of the run."""
        if ended := ended_outcome(job, self.root):
            self.send(ended)
        elif attempt.losses + 1 < LOSSES:
            self._try_again(job, attempt.crashes, attempt.losses + 1)
        else:
            self.send(Outcome(job.id, "open", f"lost {LOSSES} times, at last: {reason(error)}"))

    def _try_again(self, job: Job, crashes: int, losses: int) -> None:
        """Let a job wait a moment, alone, and be handed out again."""
        self.waiting.append(Attempt([job], crashes, losses, due=time.monotonic() + LOOK))

    def _watch(self) -> None:
        """Look for what Ray may fail to report; errors as `run`."""
        if self.pipe.poll():  # nobody writes to us: it is closed
            raise ClusterError("its driver has died")
        now = time.monotonic()
        if now >= self.looked + LOOK:
            self.looked = now
            self.send(None)
            self._look_at_nodes()
            self._take_finished(now)
            again = [attempt for attempt in self.waiting if attempt.due]
            begun = [job for attempt in (*self.going.values(), *again) for job in attempt.jobs]
            folders = [job.folder(self.root) for job in begun]
            self.patience.look(folders, f"a worker with {self.share}")

    def _look_at_nodes(self) -> None:
        """Divide the nodes that are alive now among the workers."""
        self.nodes = self._alive()
        if self.here not in self.nodes:
            raise ClusterError("its node on this machine has died")
        share = share_of(list(self.nodes.values()), self.workers.count)
        if self.share.gpus and not share.gpus:
            raise ClusterError("no node with a GPU is left")
        if share != self.share:
            self.share = share
            self.make = self._task()

    def _take_finished(self, now: float) -> None:
        """End the attempts whose results are there, though their workers' answers are not."""
        for ref, attempt in list(self.going.items()):
            outcomes = [ended_outcome(job, self.root) for job in attempt.jobs]
            if None in outcomes:
                continue
            attempt.done = attempt.done or now
            if now > attempt.done + LATE:
                del self.going[ref]
                self.ray.cancel(ref)
                for outcome in outcomes:
                    self.send(outcome)


def ended_outcome(job: Job, root: Path) -> Outcome | None:
    """The outcome of a job that a worker has ended without telling us; None if it has not."""
    state = job.state(root)
    return Outcome(job.id, state) if state in ("done", "stopped") else None


def _make(jobs: Sequence[Job], root: Path, limit: float) -> tuple[str, list[Outcome]]:
    """The task of a worker: its host's name, and the outcomes."""
    try:
        import torch

        with beating([job.folder(root) for job in jobs]):
            outcomes = make_jobs(jobs, root, limit, threads=int(os.environ["OMP_NUM_THREADS"]))
        torch.cuda.empty_cache()  # other workers and the judge of a search use the same GPU
    except SystemExit:  # Ray's answer to SIGTERM
        outcomes = [Outcome(job.id, "open") for job in jobs]
    return socket.gethostname(), outcomes


def variables(threads: int) -> dict[str, str]:
    """The variables of the workers: some of this process's, and the number of threads."""
    own = {"OMP_NUM_THREADS": str(threads), "OMP_WAIT_POLICY": "PASSIVE"}
    # A run is one process, whatever SLURM has started: Lightning would want a device per task.
    return inherited() | own | {"SLURM_JOB_NAME": "interactive"}
