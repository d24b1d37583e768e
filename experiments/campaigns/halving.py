"""Asynchronous successive halving (ASHA): which runs are stopped at which step.

Li et al., "A System for Massively Parallel Hyperparameter Tuning" (2020), in the form without
resumption: a run that is stopped stays so. Each decision depends on the losses of earlier rounds
only. It does not depend on which run of a round ends first, and is the same after an interruption.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from datamodules.run_folder import RunFolder
from datamodules.support.errors import AtelierError
from experiments.campaigns.job import Job
from experiments.campaigns.search_file import Halving
from experiments.run.configuration import with_settings
from lightning_modules.stopping import recent


def rungs_of(job: Job, halving: Halving) -> list[int]:
    """Steps after which a run may be stopped; AtelierError if it has too few steps."""
    steps = int(with_settings(job.config, job.settings)["trainer"]["max_steps"])
    rungs = [steps // halving.factor**k for k in range(halving.rungs, 0, -1)]
    if not rungs[0]:
        raise AtelierError(
            f"asha stops runs at {halving.rungs} rungs, and {steps} steps divided by "
            f"{halving.factor} as often leave none; give more steps or fewer rungs"
        )
    return rungs


def limit(losses: Sequence[float], factor: int) -> float | None:
    """The highest loss with which one more run goes on: with its own loss it must be among the best
    1/factor of all. None where any loss will do.
    """
    place = max((len(losses) + 1) // factor - 1, 0)
    return sorted(losses)[place] if place < len(losses) else None


def limits(earlier: Iterable[Mapping[int, float]], rungs: Sequence[int], factor: int):
    """The limits of a round by step. earlier: losses at the rungs that each earlier run reached."""
    earlier = list(earlier)
    by_rung = {step: [losses[step] for losses in earlier if step in losses] for step in rungs}
    by_step = {step: limit(losses, factor) for step, losses in by_rung.items()}
    return {step: value for step, value in by_step.items() if value is not None}


def losses_at(folder: Path, rungs: Sequence[int], loss: str) -> dict[int, float]:
    """Losses of a run at the rungs that it reached."""
    course = RunFolder(folder).losses.get(loss, [])
    return {step: recent(course[:step]) for step in rungs if step <= len(course)}
