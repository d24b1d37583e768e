"""Who makes the runs: Ray's workers, or this process one after another.

Ray hands out jobs, starts again what has died, and sets CUDA_VISIBLE_DEVICES; its workers stay for
the next job, with the networks that they have loaded. The serial runner shares the run function.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from datamodules.run_folder import RunFolder
from datamodules.support.errors import AtelierError
from experiments.campaigns.job import (
    RUNS,
    Job,
    Outcome,
    failed_tries,
    note_failure,
    run_jobs,
    state_of,
)

ON_GPU = 4  # runs at once
SERIAL = -1  # workers: none but this process


@dataclass(frozen=True)
class Workers:
    """How many work, and with what.

    count:   at the same time; 0 = one a GPU, or one where there is none; -1 = this process itself.
    address: of a Ray cluster to join ("auto"), "" for one of our own on this machine.
    limit:   seconds that a run may take, by a worker of Ray's; 0 = as long as it wants.
    tries:   attempts at a job whose worker dies.
    threads: of the processor a worker; 0 = an equal share of them.
    runs_per_device: how many a worker optimises at once, where they are of one kind; 0 = ON_GPU on
             a GPU, and 1 elsewhere, where several at once gain nothing, and 1 with a limit, which
             would end them all.
    """

    count: int = 0
    address: str = ""
    limit: float = 0.0
    tries: int = 2
    threads: int = 0
    runs_per_device: int = 0

    def __post_init__(self) -> None:
        if self.count == SERIAL and self.limit:
            raise AtelierError(
                "--limit ends a worker, and --serial has none; leave one of them out"
            )
        if self.runs_per_device < 0 or (self.limit and self.runs_per_device > 1):
            raise AtelierError(
                f"--runs-per-device is {self.runs_per_device}; give 1 or more, or 0 to leave it to "
                "Atelier; and only 1 with --limit, which would end all that are made at once"
            )

    def run(self, jobs: Sequence[Job], root: Path) -> Iterator[Outcome]:
        """Make the jobs; each outcome once it is known, in no particular order."""
        return self._serial(jobs, root) if self.count == SERIAL else self._on_ray(jobs, root)

    def _serial(self, jobs: Sequence[Job], root: Path) -> Iterator[Outcome]:
        import torch

        for group in self.groups(jobs, 1, torch.cuda.is_available()):
            yield from run_jobs(group, root, threads=self.threads)

    def groups(self, jobs: Sequence[Job], workers: int, gpu: bool) -> list[list[Job]]:
        """The jobs in groups of one kind, so small that every worker gets one."""
        most = self.runs_per_device or (ON_GPU if gpu and not self.limit else 1)
        most = min(most, max(1, -(-len(jobs) // workers)))
        by_kind: dict[str, list[Job]] = {}
        for job in jobs:
            by_kind.setdefault(job.kind, []).append(job)
        return [
            alike[k : k + most] for alike in by_kind.values() for k in range(0, len(alike), most)
        ]

    def _on_ray(self, jobs: Sequence[Job], root: Path) -> Iterator[Outcome]:
        ray = self._start()
        dead = (ray.exceptions.WorkerCrashedError, ray.exceptions.OutOfMemoryError)
        try:
            gpus, cpus = (int(ray.cluster_resources().get(kind, 0)) for kind in ("GPU", "CPU"))
            workers = self.count or gpus or 1
            make = self._task(ray, gpus, cpus, workers)
            groups = self.groups(jobs, workers, gpu=bool(gpus))
            waiting = {make.remote(group, root, self.limit): (group, 1) for group in groups}
            while waiting:
                (ready, *_), _ = ray.wait(list(waiting), num_returns=1)
                group, tries = waiting.pop(ready)
                try:
                    yield from ray.get(ready)
                except dead as error:
                    if tries < self.tries:
                        waiting |= {
                            make.remote([job], root, self.limit): ([job], tries + 1)
                            for job in group
                        }
                    else:
                        yield from (_died(job, root, self.limit, error) for job in group)
                except ray.exceptions.RayError as error:
                    yield from (_died(job, root, self.limit, error) for job in group)
        finally:
            ray.shutdown()

    def _start(self):
        """Ray, ours or the cluster's; AtelierError if there is none at the address."""
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # asks nobody anything
        os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
        import ray

        where = {"address": self.address} if self.address else {"include_dashboard": False}
        try:
            ray.init(**where, log_to_driver=False, logging_level="ERROR")
        except (ConnectionError, RuntimeError, ValueError) as error:
            raise AtelierError(
                f"No Ray cluster answers at {self.address!r}; start one with: ray start --head"
            ) from error
        return ray

    def _task(self, ray, gpus: int, cpus: int, workers: int):
        """The run function as Ray's task, with a worker's share of the machine."""
        share = {"num_cpus": part(cpus, workers)}
        if gpus:
            share = {"num_gpus": part(gpus, workers), "num_cpus": min(1, cpus / workers)}
        environment = _environment(self.threads or max(1, cpus // workers))
        return ray.remote(**share, max_retries=0, runtime_env=environment)(_make)


def part(whole: float, workers: int) -> float:
    """Of a resource, for each of so many workers: Ray takes fractions below 1, else integers."""
    return whole / workers if whole < workers else int(whole // workers)


def _make(jobs: Sequence[Job], root: Path, limit: float) -> list[Outcome]:
    return run_jobs(jobs, root, limit, threads=int(os.environ["OMP_NUM_THREADS"]))


def _environment(threads: int) -> dict:
    """Of the workers: what this process has, and their threads."""
    kept = ("HF_HUB_OFFLINE", "HF_HOME", "TORCH_HOME", "ATELIER_CACHE", "WANDB_MODE", "PYTHONPATH")
    given = {name: os.environ[name] for name in kept if name in os.environ}
    return {"env_vars": {**given, "OMP_NUM_THREADS": str(threads), "OMP_WAIT_POLICY": "PASSIVE"}}


def _died(job: Job, root: Path, limit: float, error: Exception) -> Outcome:
    """The failure of a job whose worker could not say itself what happened; or it was done."""
    if state_of(job.id, root) == "done":
        return Outcome(job.id, "done")
    folder = root / RUNS / job.id
    tries = failed_tries(folder) + 1
    said = note_failure(folder, _cause(folder, limit, error), tries)
    return Outcome(job.id, "failed", said, tries=tries)


def _cause(folder: Path, limit: float, error: Exception) -> str:
    started = RunFolder(folder, strict=False).job.started or time.time()
    if limit and time.time() - started >= limit:
        return f"ran past its limit of {limit:g} s"
    words = " ".join(str(error).split())[:300]
    if type(error).__name__ == "WorkerCrashedError":
        return "its process died: killed, or out of memory"
    return f"{type(error).__name__}: {words}"
