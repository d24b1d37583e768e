"""A campaign: many runs in one folder, made, counted, and concluded with scores and a report."""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from datamodules.campaign_folder import RUNS, write_plan
from datamodules.run_folder import FAILURE, RESULT, STOPPED, RunFolder
from datamodules.support.extras import is_installed
from datamodules.support.files import make_folder
from experiments.campaigns.job import Job, State
from experiments.campaigns.options import CampaignOptions
from experiments.campaigns.plan import describe, folder_of, shard
from experiments.campaigns.workers import Make
from experiments.run.metrics import judges_of, metrics_by_name
from experiments.run.offline import WITHOUT_PACKAGE, say_sync

UNFINISHED = {  # states of runs without a result, in the words of the last line
    "failed": "failed",
    "open": "open (the same command tries again)",
    "busy": "made by another program",
}


def run_campaign(
    name: str, jobs: Sequence[Job], models: str, options: CampaignOptions, title: str = ""
) -> int:
    """Make all jobs, then score, tabulate and report the runs of the folder; the exit code.

    models: the preset that made them; the papers' networks judge those of the papers.
    title: of the report, "" for the folder's name.
    """
    metrics_by_name(judges_of(models), options.metrics)  # refused now, not after hours
    whole, root = list(jobs), folder_of(name, options.out)
    if options.only_missing:
        whole = with_earlier(whole, root)
    jobs = shard(whole, options.shard)
    if options.dry_run:
        states = states_of(jobs, root)
        print(*describe(jobs, states, root, options.workers.count), sep="\n")
        return 0
    make_folder(root / RUNS)
    write_plan(root, ((job.set, job.id) for job in whole), title)
    if options.force:
        forget(jobs, root)
    with options.workers.at_work(root) as make:
        counts = make_all(jobs, root, make, options.retry)
    return ended(counts, root, models, options)


def ended(counts: Counter[str], root: Path, models: str, options: CampaignOptions) -> int:
    """Conclude the runs of a folder, unless that is not wanted; the exit code.

    counts: of the runs, as `make_all` returns them.
    """
    scored = True
    if options.evaluate:
        from experiments.campaigns.conclusion import conclude

        scored = conclude(root, models, options.metrics, options.wandb)
    if options.wandb:
        say_sync(root)
    print(f"{root}: {summary(counts)}", file=sys.stderr)
    return 0 if scored and not any(counts[state] for state in UNFINISHED) else 2


def make_all(jobs: Sequence[Job], root: Path, make: Make, retry: bool = False) -> Counter[str]:
    """Make the jobs that are not done yet, with a bar on stderr; the number of each state.

    make: of workers at work in the folder. retry: make again what has failed before.
    """
    unique = {job.id: job for job in jobs}
    states = states_of(unique.values(), root)
    before = Counter(states.values())
    failed = 0 if retry else before["failed"]
    counts = Counter(skipped=before["done"], failed=failed, done=0)
    counts.update(state for state in states.values() if state == "stopped")
    states_to_make = ("open", "failed") if retry else ("open",)
    todo = [job for job in unique.values() if states[job.id] in states_to_make]
    if todo:
        from experiments.campaigns.progress import watched

        make_folder(root / RUNS)
        _settle_wandb(todo)
        for outcome in watched(make(todo), todo, counts, root):
            counts[outcome.state] += 1
            if outcome.state in ("failed", "open"):
                about = f"{outcome.id} ({unique[outcome.id].described()})"
                state = "failed" if outcome.state == "failed" else "is still open"
                print(f"atelier: {about} {state}: {outcome.reason}", file=sys.stderr)
    if failed:
        print(f"{failed} failed before; --retry-failed tries again", file=sys.stderr)
    return counts


def states_of(jobs: Iterable[Job], root: Path) -> dict[str, State]:
    """The state of each run by its id; damaged results are said on stderr."""
    states: dict[str, State] = {}
    there = {path.name for path in (root / RUNS).glob("*")}
    for job in jobs:
        if job.id not in there:
            states[job.id] = "open"
            continue
        states[job.id] = job.state(root)
        run = RunFolder(job.folder(root), strict=False)
        if states[job.id] == "open" and run.finished:
            print(f"atelier: {run.damage}; this run is open again", file=sys.stderr)
    return states


def with_earlier(jobs: Iterable[Job], root: Path) -> list[Job]:
    """The jobs, each under the name of a finished run with the same settings and inputs, if any.

    Such a run was made by other code or other packages.
    """
    runs = [RunFolder(file.parent, strict=False) for file in (root / RUNS).glob(f"*/{RESULT}")]
    earlier = {run.job.request: run.path.name for run in runs if run.job.request and not run.damage}
    return [
        job if job.state(root) == "done" else job.under(earlier.get(job.request, job.id))
        for job in jobs
    ]


def forget(jobs: Iterable[Job], root: Path) -> None:
    """Delete the results of finished runs, and the notes of failed ones: all are open again."""
    for job in jobs:
        for name in (RESULT, FAILURE, STOPPED):
            (job.folder(root) / name).unlink(missing_ok=True)


def _settle_wandb(jobs: Sequence[Job]) -> None:
    """Ask W&B once for all runs whether it answers; each alone would wait for it."""
    if os.environ.get("WANDB_MODE") or not any(job.logging.get("wandb.enabled") for job in jobs):
        return
    if not is_installed("wandb"):
        os.environ["WANDB_MODE"] = "disabled"  # the workers', too
        print(WITHOUT_PACKAGE, file=sys.stderr)
        return
    from experiments.run.tracking import has_key

    if has_key():
        import wandb

        from datamodules.models.connection import answers

        if not answers(wandb.Settings().base_url):
            os.environ["WANDB_MODE"] = "offline"  # the workers', too
            print(
                "atelier: W&B cannot be reached; the runs are logged offline, for wandb sync",
                file=sys.stderr,
            )


def summary(counts: Counter[str]) -> str:
    """The last line: "10 done, 2 skipped, 0 failed"."""
    others = [
        f"{counts[s]} {words}" for s, words in UNFINISHED.items() if counts[s] or s == "failed"
    ]
    stopped = [f"{counts['stopped']} stopped early"] if counts["stopped"] else []
    return ", ".join([f"{counts['done']} done", f"{counts['skipped']} skipped", *stopped, *others])
