"""The conclusion of a campaign: scores of its runs, their table, and the report."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from datamodules.campaign_folder import RUNS, is_present
from datamodules.run_folder import RESULT, RunFolder
from evaluation.likeness import alike_methods, remark
from evaluation.scoring import evaluate_runs
from evaluation.suite import Suite
from evaluation.tables.results import Selection, tabulate
from evaluation.tables.rounded import sheet
from evaluation.tables.writers import text
from experiments.run import scoring
from experiments.run.metrics import judges_of, metrics_by_name
from experiments.run.reporting import report_runs


def conclude(root: Path, models: str, metrics: Sequence[str] | None, wandb: bool) -> bool:
    """Score the finished runs of the folder, print their table, and write the report beside them.

    Runs of an earlier form of the campaign do not count.
    models: the preset that made the runs. metrics: None for all.
    Returns whether every run could be scored. Without a finished run nothing is done.
    """
    folders = [RunFolder(file.parent, False) for file in sorted((root / RUNS).glob(f"*/{RESULT}"))]
    runs = [run.path for run in folders if is_present(run.path, run.job.set) and not run.damage]
    if not runs:
        return True
    suite = Suite(metrics_by_name(judges_of(models), metrics), scoring.device_by_name("auto"))
    with scoring.ScoringBar() as bar:
        evaluation = evaluate_runs(runs, suite, watch=bar)
    scoring.conclude(evaluation, wandb)
    table = tabulate(root, Selection())
    print(text.write(sheet(table), terminal=sys.stdout.isatty()), end="")
    tabulated = [run for group in table.groups for run in group.runs]
    for line in filter(None, [*table.remarks, remark(alike_methods(root, tabulated))]):
        print(line, file=sys.stderr)
    print(report_runs(root, root / "report"))
    return not evaluation.failures
