"""Workers: processes of Ray's that make jobs, or this process, which makes one after another.

Ray hands out jobs, replaces workers that died, and sets CUDA_VISIBLE_DEVICES. A worker stays for
the next job, with the networks that it has loaded. Both ways call `make_jobs`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from datamodules.support.errors import AtelierError
from experiments.campaigns.cluster import cluster
from experiments.campaigns.job import Job
from experiments.campaigns.making import Outcome, after_death, make_jobs

ON_GPU = 8  # runs that are optimised jointly
SERIAL = -1  # number of workers: none but this process
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


@dataclass(frozen=True)
class Workers:
    """Number and resources of the workers.

    count:   0 = one per GPU, or one where there is none; SERIAL = this process itself.
    address: of a Ray cluster to join: "auto" or HOST:PORT; "" for one of our own on this machine.
    limit:   seconds per run, after which its worker is ended; 0 = none. Not with SERIAL.
    tries:   attempts at a job whose worker dies.
    threads: of the processor per worker; 0 = an equal share of them.
    runs_per_device: runs of the same kind that one worker optimises jointly. 0 = automatic: ON_GPU
             on a GPU, 1 on a CPU (no gain there), 1 with a limit (it would kill all of them).
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
                f"--runs-per-device is {self.runs_per_device}; give 1 or more, or 0 for a number "
                "that suits the device; and only 1 with --limit, which would end all runs that are "
                "made jointly"
            )

    def run(self, jobs: Sequence[Job], root: Path) -> Iterator[Outcome]:
        """Make the jobs; each outcome as soon as there is one, in no particular order."""
        return self._serial(jobs, root) if self.count == SERIAL else self._on_ray(jobs, root)

    def _serial(self, jobs: Sequence[Job], root: Path) -> Iterator[Outcome]:
        import torch

        for group in self.groups(jobs, 1, torch.cuda.is_available()):
            yield from make_jobs(group, root, threads=self.threads)

    def groups(self, jobs: Sequence[Job], workers: int, gpu: bool) -> list[list[Job]]:
        """The jobs in groups of one kind, small enough that every worker gets one."""
        most = self.runs_per_device or (ON_GPU if gpu and not self.limit else 1)
        most = min(most, max(1, -(-len(jobs) // workers)))
        by_kind: dict[str, list[Job]] = {}
        for job in jobs:
            by_kind.setdefault(job.kind, []).append(job)
        return [
            alike[k : k + most] for alike in by_kind.values() for k in range(0, len(alike), most)
        ]

    def _on_ray(self, jobs: Sequence[Job], root: Path) -> Iterator[Outcome]:
        with cluster(self.address, root) as ray:
            dead = (ray.exceptions.WorkerCrashedError, ray.exceptions.OutOfMemoryError)
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
                except ray.exceptions.RayError as error:
                    if isinstance(error, dead) and tries < self.tries:
                        waiting |= {
                            make.remote([job], root, self.limit): ([job], tries + 1)
                            for job in group
                        }
                    else:
                        yield from (after_death(job, root, self.limit, error) for job in group)

    def _task(self, ray, gpus: int, cpus: int, workers: int):
        """`make_jobs` as Ray's task, with a worker's share of the machine."""
        share = {"num_cpus": part(cpus, workers)}
        if gpus:
            share = {"num_gpus": part(gpus, workers), "num_cpus": min(1, cpus / workers)}
        environment = {"env_vars": variables(self.threads or max(1, cpus // workers))}
        return ray.remote(**share, max_retries=0, runtime_env=environment)(_make)


def part(whole: float, workers: int) -> float:
    """One worker's part of a resource; Ray takes fractions below 1, else integers."""
    return whole / workers if whole < workers else int(whole // workers)


def _make(jobs: Sequence[Job], root: Path, limit: float) -> list[Outcome]:
    return make_jobs(jobs, root, limit, threads=int(os.environ["OMP_NUM_THREADS"]))


def variables(threads: int) -> dict[str, str]:
    """The variables of the workers: some of this process's, and the number of threads."""
    inherited = {name: os.environ[name] for name in INHERITED if name in os.environ}
    own = {"OMP_NUM_THREADS": str(threads), "OMP_WAIT_POLICY": "PASSIVE"}
    return inherited | own
