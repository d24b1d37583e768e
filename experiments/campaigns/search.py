"""A search: trials in rounds, each proposed from the scores of those before.

The folder of the runs is the only state: see `experiments.campaigns.rounds`.
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from datamodules.campaign_folder import RUNS, write_plan
from datamodules.support.errors import AtelierError
from datamodules.support.files import make_folder
from evaluation.tables.search import write_search
from experiments.campaigns.campaign import ended, forget, make_all, states_of
from experiments.campaigns.grid import Sweep
from experiments.campaigns.job import Job
from experiments.campaigns.options import CampaignOptions
from experiments.campaigns.plan import SHORT, describe, folder_of
from experiments.campaigns.progress import note
from experiments.campaigns.search_file import in_words

if TYPE_CHECKING:  # torch takes seconds to import
    from experiments.campaigns.goals import Judge
    from experiments.campaigns.rounds import Rounds
    from experiments.campaigns.workers import Make

POLL = 10.0  # seconds until runs that another program makes are looked at again


def run_search(sweep: Sweep, overrides: Mapping[str, Any], options: CampaignOptions) -> int:
    """Make the trials of a sweep's search, then conclude as other sweeps do; the exit code."""
    refuse(sweep, overrides, options)
    from experiments.campaigns.goals import Judge, goals_of, metrics_of
    from experiments.campaigns.rounds import Rounds
    from experiments.run.scoring import device_by_name

    metrics = metrics_of(sweep.search, sweep.models[0], options.metrics)
    goals = goals_of(sweep.search, metrics)
    root = folder_of(sweep.name, options.out)
    rounds = Rounds(sweep, root, goals, overrides, options.wandb)
    judge = Judge(goals, metrics, device_by_name("auto"))
    if options.dry_run:
        print(*plan(rounds, judge, options), sep="\n")
        return 0
    with options.workers.at_work(root) as make:
        counts = go_through(rounds, judge, make, options)
    record = rounds.record
    for trial in record.best():
        print(f"{record.scores(trial)}  {trial.described()}  {' '.join(trial.runs)}")
    return ended(counts, root, sweep.models[0], options)


def go_through(rounds: Rounds, judge: Judge, make: Make, options: CampaignOptions) -> Counter[str]:
    """Make round after round, as long as none leaves runs open; the counts of `make_all`.

    make: of workers at work. Rounds that are whole already pass without a word.
    """
    counts, whole, root = Counter(), [], rounds.root
    make_folder(root / RUNS)
    while rounds.attempts:
        jobs = rounds.jobs
        if options.force:
            forget(jobs, root)
        if new := not rounds.have_ended():
            _list(root, [*whole, *jobs], rounds.sweep.title)
        counts += make_round(jobs, root, make, options.retry)
        if not rounds.have_ended():
            print("atelier: the search stops: runs are open; start it again", file=sys.stderr)
            break
        whole += [job for job in jobs if job.state(root) != "stopped"]
        rounds.settle(judge)
        if new or not rounds.attempts:
            write_search(root, rounds.record)
            note(root, rounds.record.so_far())
            _list(root, whole, rounds.sweep.title)
    return counts


def _list(root: Path, jobs: Sequence[Job], title: str) -> None:
    """Note the runs that the search consists of so far, for tables and reports."""
    write_plan(root, [(job.set, job.id) for job in jobs], title)


def make_round(jobs: Sequence[Job], root: Path, make: Make, retry: bool) -> Counter[str]:
    """Make the runs of a round, or wait for another program that makes them; see `make_all`."""
    counts = make_all(jobs, root, make, retry)
    while counts.pop("busy", 0):
        time.sleep(POLL)
        still_open = [job for job in jobs if job.state(root) == "open"]
        counts += make_all(still_open, root, make)
    return counts


def refuse(sweep: Sweep, overrides: Mapping[str, Any], options: CampaignOptions) -> None:
    """AtelierError for what does not go together with a search."""
    search = sweep.search
    if options.shard:
        raise AtelierError(
            "--shard parts a list of runs, and a search has none before it begins; leave it out"
        )
    if options.only_missing:
        raise AtelierError(
            "A search reads its runs' scores under their present names; leave --only-missing out"
        )
    if sweep.random.over:
        raise AtelierError(f"The sweep {sweep.name} has both random and search; keep one of them")
    for name, values in (("method", sweep.method), ("models", sweep.models)):
        if len(values) > 1:
            raise AtelierError(f"A search takes one value of {name}; put the list into search.over")
    over = {_dotted(name): name for name in search.over}
    elsewhere = {"fixed": sweep.fixed, "grid": sweep.grid, "the command line": overrides}
    for place, settings in elsewhere.items():
        if both := [over[name] for name in map(_dotted, settings) if name in over]:
            raise AtelierError(f"{both[0]} is in search.over and in {place}; keep one of them")
    if search.method == "asha" and ("trainer.max_steps" in over or sweep.set or sweep.grid):
        raise AtelierError(
            "asha compares losses of single runs after the same steps; leave set, grid and a range "
            "of steps out"
        )


def _dotted(name: str) -> str:
    return SHORT.get(name, name)


def plan(rounds: Rounds, judge: Judge, options: CampaignOptions) -> Iterator[str]:
    """Lines about what the search will do, from what is finished in its folder."""
    while rounds.attempts and rounds.have_ended() and judge.have_scores(rounds.jobs, rounds.root):
        rounds.settle(judge)
    search, record = rounds.search, rounds.record
    goals = zip(record.goals, record.higher, strict=True)
    aims = ", ".join(f"{'highest' if higher else 'lowest'} {name}" for name, higher in goals)
    yield f"search: {search.trials} trials by {search.method}, {search.at_once} at a time"
    yield f"for: {aims}"
    yield from (f"over: {name}: {in_words(span)}" for name, span in search.over.items())
    yield record.so_far()
    if rounds.attempts:
        yield "the next round:"
        states = states_of(rounds.jobs, rounds.root)
        yield from describe(rounds.jobs, states, rounds.root, options.workers.count)
