"""Scoring on the command line: a bar and remarks on stderr, scores to W&B."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch

from datamodules.run_folder import WANDB
from datamodules.support.errors import AtelierError
from datamodules.support.progress import progress_bar
from evaluation.finished_pictures import Case
from evaluation.scoring import Evaluation, Watch, evaluate_cases, loose_case
from evaluation.suite import Suite


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


def pair_case(
    content: str,
    output: str,
    mask: str | None = None,
    mask_value: str = "",
    style: str = "",
    object_: str = "",
) -> Case:
    """The case of two pictures, before and after; AtelierError where one of them is missing."""
    if not (content and output):
        raise AtelierError("Both pictures are needed: --content before, --output after")
    region = Path(mask) if mask else None
    return loose_case(Path(content), Path(output), region, object_, style, mask_value)


def score(
    cases: Sequence[Case], failures: Mapping[str, str], suite: Suite, force: bool, wandb: bool
) -> Evaluation:
    """Score cases with a bar on stderr; new scores go to the W&B runs that their folders hold.

    failures: of reading them, by name, which belong to the result.
    """
    with ScoringBar() as bar:
        result = evaluate_cases(cases, suite, force, bar)
    result.failures = {**failures, **result.failures}
    if wandb:
        log_changes(result)
    return result


def conclude(result: Evaluation, wandb: bool) -> None:
    """Print the remarks on stderr, and add new scores to the W&B runs that the folders hold."""
    for remark in result.remarks():
        print(remark, file=sys.stderr)
    if wandb:
        log_changes(result)


def log_changes(result: Evaluation) -> None:
    """Add new scores to the W&B runs that the folders hold."""
    folders = [folder for folder in result.changed if (folder / WANDB).is_dir()]
    if folders:
        from experiments.run.tracking import log_scores

        for folder in folders:
            log_scores(folder, result.changed[folder])
