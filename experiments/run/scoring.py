"""Scoring on the command line: a bar and remarks on stderr, scores to W&B."""

from __future__ import annotations

import sys

import torch

from datamodules.run_folder import WANDB
from datamodules.support.errors import AtelierError
from datamodules.support.progress import progress_bar
from evaluation.scoring import Evaluation, Watch


def device_by_name(name: str) -> str:
    """ "cuda" or "cpu" for "auto", "cpu" or "gpu"; AtelierError for a GPU where there is none."""
    gpu = torch.cuda.is_available()
    if name == "gpu" and not gpu:
        raise AtelierError("There is no GPU here; leave --device out")
    return "cuda" if name != "cpu" and gpu else "cpu"


class ScoringBar(Watch):
    """A bar on stderr while the context lasts, with the metric that is computed."""

    def __init__(self) -> None:
        self.bar = progress_bar(before="{task.description:18}", elapsed=True)

    def __enter__(self) -> ScoringBar:
        self.bar.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self.bar.stop()

    def on_start(self, total: int) -> None:
        self.task = self.bar.add_task("scoring", total=total)

    def on_metric(self, name: str) -> None:
        self.bar.update(self.task, description=name)

    def on_case_end(self, number: int) -> None:
        self.bar.update(self.task, completed=number)


def conclude(result: Evaluation, wandb: bool) -> None:
    """Print the remarks on stderr, and add new scores to the W&B runs that the folders hold."""
    for remark in result.remarks():
        print(remark, file=sys.stderr)
    folders = [folder for folder in result.changed if (folder / WANDB).is_dir()]
    if wandb and folders:
        from experiments.run.tracking import log_scores

        for folder in folders:
            log_scores(folder, result.changed[folder])
