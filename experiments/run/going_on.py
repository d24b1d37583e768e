"""More steps of a run: from the checkpoint that it keeps, as if they had been one run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from datamodules.run_folder import CHECKPOINT, CONFIG, RunFolder
from datamodules.support.errors import AtelierError
from experiments.run.configuration import Configuration, read_config

if TYPE_CHECKING:
    from lightning import Trainer

    from lightning_modules.run_checkpoints import RunCheckpoints
    from lightning_modules.stylization import Stylization


def configuration_to_go_on(folder: Path, steps: int | None) -> Configuration:
    """Configuration of the run in a folder; AtelierError where no further step can be taken.

    steps: of the longer run, None for those of its configuration, of which a run may have made
    fewer.
    """
    if not (folder / CONFIG).is_file():
        raise AtelierError(f"There is no run in {folder} to go on with; check the path")
    config, run = read_config(folder / CONFIG), RunFolder(folder, strict=False)
    usual = config.get("trainer", {}).get("max_steps")
    if usual == 0:
        raise AtelierError(
            f"The run in {folder} painted in one pass, and has no steps to go on with; make "
            "another one with --steps 30"
        )
    if not (folder / CHECKPOINT).is_file():
        raise AtelierError(
            f"{folder} has no {CHECKPOINT} to go on from; make the run with --keep-checkpoint"
        )
    if run.finished and (usual if steps is None else steps) <= run.result.steps:
        raise AtelierError(_enough(folder, run.result.steps))
    return config


def step_to_go_on_from(checkpoints: RunCheckpoints, model: Stylization, trainer: Trainer) -> int:
    """Steps at a checkpoint from which a run goes on to those of its trainer.

    It may have all of them: of a run that ended before its result was written. AtelierError for a
    checkpoint of another run, one with more steps, and a schedule that takes other steps on the way
    to another end.
    """
    folder, steps = checkpoints.path.parent, trainer.max_steps
    try:
        done, planned = checkpoints.read()
    except AtelierError as error:
        raise AtelierError(f"{error}; make the run in {folder} again, or another one") from error
    if done > steps:
        raise AtelierError(_enough(folder, done))
    if not model.same_rates(planned, steps, done + 1):
        raise AtelierError(
            f"The schedule of the learning rate knows that the run in {folder} has {planned} "
            f"steps, so that it is no part of one with {steps}; make that one with another --out"
        )
    return done


def _enough(folder: Path, done: int) -> str:
    return f"{folder} has {done} steps already; give --steps {done + 1} or more"
