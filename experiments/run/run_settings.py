"""Settings of a run's folder, and the first vacant name for one."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from jsonargparse.typing import NonNegativeInt


@dataclass
class Run:
    """Folder of a run.

    Args:
        out: the folder; by default runs/METHOD-PICTURE-OBJECT-STYLE, numbered if it exists.
        overwrite: replace a finished run in `out`.
        keep_every: steps between two pictures in steps/; 0 writes none.
        checkpoint_every: steps between two checkpoints; 0 writes none. The same command with the
            same `out` goes on from the last one, and ends with the same picture.
        keep_checkpoint: write a checkpoint after the last step and keep it, so that the run can
            later go on to more steps.
        stop_above: losses by step; a run with a higher one after that step is stopped.
        stop_loss: name of that loss in losses.csv.
    """

    out: str = ""
    overwrite: bool = False
    keep_every: NonNegativeInt = 20
    checkpoint_every: NonNegativeInt = 0
    keep_checkpoint: bool = False
    stop_above: dict[int, float] = field(default_factory=dict)
    stop_loss: str = "total"


def vacant(path: Path) -> Path:
    """First of `path`, `path-2`, `path-3`, ... that does not exist."""
    candidate, number = path, 1
    while candidate.exists():
        number += 1
        candidate = path.with_name(f"{path.name}-{number}")
    return candidate
