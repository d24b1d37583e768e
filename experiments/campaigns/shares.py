"""Shares: the part of a node that each worker gets, so that all workers fit and nothing waits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain, count

from datamodules.support.errors import AtelierError


@dataclass(frozen=True)
class Share:
    """The number of workers, and the part of a node for each.

    cpus, gpus: as Ray counts them: integers, or fractions below 1. threads: of the processor.
    """

    workers: int
    cpus: float
    threads: int
    gpus: float = 0

    def __str__(self) -> str:
        gpus = f" and {self.gpus:.3g} GPU" if self.gpus else ""
        return f"{self.cpus:.3g} CPU{gpus}"


def share_of(nodes: Sequence[Mapping[str, float]], workers: int = 0) -> Share:
    """The largest equal share with which that many workers run at a time.

    nodes: the resources of each ("CPU", "GPU"). A share is never more than the smallest of the
    nodes that take part has: all nodes with GPUs, or where there are none, all with processors.
    workers: 0 = one per GPU, or one per node where there is none.
    Raises AtelierError where no node has room for a worker.
    """
    with_gpus = [node for node in nodes if node.get("GPU", 0) >= 1]
    if with_gpus:
        gpus = sum(int(node["GPU"]) for node in with_gpus)
        per_gpu = -(-(workers or gpus) // gpus)
        cpus = min(node.get("CPU", 0) / (int(node["GPU"]) * per_gpu) for node in with_gpus)
        return Share(workers or gpus, min(1, cpus), max(1, int(cpus)), 1 / per_gpu)
    processors = [int(node["CPU"]) for node in nodes if node.get("CPU", 0) >= 1]
    if not processors:
        raise AtelierError(
            "No node of the Ray cluster has a processor or a GPU for runs; start one with: ray "
            "start --address HEAD:PORT --num-cpus=N"
        )
    workers = workers or len(processors)
    sizes = chain(range(min(processors), 0, -1), (Fraction(1, parts) for parts in count(2)))
    size = next(size for size in sizes if sum(n // size for n in processors) >= workers)
    return Share(workers, float(size), max(1, int(size)))
