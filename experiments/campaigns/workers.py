"""Workers: processes of Ray's that make jobs, or this process, which makes one after another.

Ray hands out jobs, replaces workers that died, and sets CUDA_VISIBLE_DEVICES. A worker stays for
the next job, with the networks that it has loaded, unless its node has several GPUs. Both ways call
`make_jobs`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from datamodules.support.errors import AtelierError
from experiments.campaigns.job import Job
from experiments.campaigns.making import Outcome, make_jobs
from experiments.campaigns.supervision import OnRay

ON_GPU = 8  # runs that are optimised jointly
SERIAL = -1  # number of workers: none but this process

# Makes jobs; each outcome as soon as there is one, in no particular order.
Make = Callable[[Sequence[Job]], Iterator[Outcome]]


@dataclass(frozen=True)
class Workers:
    """Number and resources of the workers.

    count:   0 = one per GPU, or one per node where there is none; SERIAL = this process itself.
    address: of a Ray cluster to join: "auto" or HOST:PORT; "" for one of our own on this machine.
    limit:   seconds per run, after which its worker is ended; 0 = none. Not with SERIAL.
    tries:   attempts at a job whose worker dies.
    threads: of the processor per worker; 0 = its share of a node.
    patience: seconds in which no run begins, goes on or ends, after which the campaign ends.
    runs_per_device: runs of the same kind that one worker optimises jointly. 0 = automatic: ON_GPU
             on a GPU, 1 on a CPU (no gain there), 1 with a limit (it would kill all of them).
    """

    count: int = 0
    address: str = ""
    limit: float = 0.0
    tries: int = 2
    threads: int = 0
    patience: float = 600.0
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

    @contextmanager
    def at_work(self, root: Path) -> Iterator[Make]:
        """A function that makes jobs in a folder.

        Until the block ends the workers stay, with what they have loaded, for further jobs.
        """
        root = root.absolute()  # a cluster's workers may have another current folder
        if self.count == SERIAL:
            yield lambda jobs: self._serial(jobs, root)
            return
        ray = OnRay(self, root)
        try:
            yield ray.make
        finally:
            ray.end()

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
