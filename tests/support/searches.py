"""Searches whose runs end at once: with noise for pictures, or stopped by losses of a formula."""

import json
import zlib

import torch

from datamodules.run_folder import RunWriter
from datamodules.run_records import FailureRecord, StopRecord
from datamodules.support.errors import StoppedEarlyError
from experiments.campaigns.goals import Judge, goals_of, metrics_of
from experiments.campaigns.grid import Sweep
from experiments.campaigns.rounds import Rounds
from lightning_modules.stopping import StopAbove
from tests.support.noise_runs import run_folder

FIXED = {"image": "skimage:chelsea", "object": "cat", "style": "fire", "steps": 18}
OVER = {
    "model.tau": {"low": 0.1, "high": 0.9},
    "model.optimizer.lr": {"low": 1e-4, "high": 1e-2, "log": True},
    "seed": {"low": 0, "high": 9},
    "parser": ["rules", "smollm2"],
}


def search_of(metric="object_change", direction="max", **search):
    """A sweep with a search over four settings."""
    return Sweep(
        name="s",
        fixed=FIXED,
        search={"over": OVER, "metric": metric, "direction": direction, "trials": 14} | search,
    )


def begin(sweep, root):
    """The rounds of a search from the first on, and the judge of its runs."""
    metrics = metrics_of(sweep.search, "embedded", ["change", "background"])
    goals = goals_of(sweep.search, metrics)
    return Rounds(sweep, root, goals, {}, False), Judge(goals, metrics, "cpu")


def go_on(sweep, root, most=10**6, order=1):
    """Search until so many runs have ended, as one program does before it dies.

    order: -1 ends the runs of a round in the opposite order.
    """
    rounds, judge = begin(sweep, root)
    while rounds.attempts:
        for job in rounds.jobs[::order]:
            if job.state(root) == "open":
                if not most:
                    return rounds
                end(job, root)
                most -= 1
        rounds.settle(judge)
    return rounds


def end(job, root):
    """Leave what a run leaves: pictures and losses, a note that it was stopped, or a failure."""
    # By the settings: the name of a run changes with the code.
    settings = json.dumps(job.settings, sort_keys=True)
    number, folder = zlib.crc32(settings.encode()), job.folder(root)
    if number % 7 == 0:
        RunWriter(folder).write_failure(FailureRecord("a bug", 1))
        return
    stop = StopAbove(job.logging.get("run.stop_above", {}))
    course = [number % 1000 / 100 + 10 / (1 + step) for step in range(18)]
    steps = len(course)
    try:
        for loss in course:
            stop.on_train_batch_end(None, None, {"loss": torch.tensor(loss)}, None, 0)
    except StoppedEarlyError as error:
        steps = error.step
        record = StopRecord(error.step, error.loss, error.value, error.limit)
        RunWriter(folder).write_stop(record)
    else:
        run_folder(folder, seed=number)
    RunWriter(folder).write_losses([{"total": loss} for loss in course[:steps]])
