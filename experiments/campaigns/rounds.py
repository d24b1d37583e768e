"""Rounds of a search: trials with their runs, and the verdicts that lead to the next round.

All of it is asked again from the first round on whenever a search goes on: what is finished in the
folder is judged from there, and leads to the same trials. A round has a fixed size, and its trials
are proposed together, so that neither the number of workers nor the order in which runs end makes
a difference.
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from datamodules.run_folder import RunFolder
from datamodules.support.errors import AtelierError
from evaluation.tables.search import SearchRecord, Trial
from experiments.campaigns.goals import Goal, Judge
from experiments.campaigns.grid import Sweep, sweep_jobs
from experiments.campaigns.halving import limits, losses_at, rungs_of
from experiments.campaigns.job import Job
from experiments.campaigns.proposals import Proposal, Proposals, Verdict


@dataclass(frozen=True)
class Attempt:
    """A proposal and its runs: one, or one for every picture of a set and combination of a grid."""

    proposal: Proposal
    jobs: tuple[Job, ...]


class Rounds:
    """The rounds of a sweep's search.

    overrides: settings that precede all others. wandb: log to W&B.
    Raises AtelierError for settings that no run accepts.

    Attributes:
        attempts: the present round, empty after the last one.
        record: the trials of the rounds before.
    """

    def __init__(
        self, sweep: Sweep, root: Path, goals: Sequence[Goal], overrides: Mapping, wandb: bool
    ) -> None:
        search, higher = sweep.search, [goal.higher for goal in goals]
        self.sweep, self.search, self.root = sweep, search, root
        self.overrides, self.wandb = overrides, wandb
        names = [goal.score for goal in goals]
        self.record = SearchRecord(search.method, names, higher, search.trials)
        self._proposals = Proposals(search, higher)
        self._losses: list[Mapping[int, float]] = []  # at the rungs, of each run so far
        self.attempts = self._ask()

    @property
    def jobs(self) -> list[Job]:
        """The runs of the present round."""
        return [job for attempt in self.attempts for job in attempt.jobs]

    def have_ended(self) -> bool:
        """Whether no run of the present round is open."""
        return all(job.state(self.root) != "open" for job in self.jobs)

    def settle(self, judge: Judge) -> None:
        """Judge the present round, whose runs have ended, and go on to the next one."""
        for attempt in self.attempts:
            verdict = self._verdict(attempt, judge)
            self._proposals.tell(attempt.proposal.number, verdict)
            if self.search.method == "asha" and verdict.state != "failed":
                self._losses.append(verdict.losses)
            self.record.trials.append(_trial(attempt, verdict))
        self.attempts = self._ask()

    def _ask(self) -> list[Attempt]:
        more = self.search.trials - len(self.record.trials)
        proposals = self._proposals.ask(min(more, self.search.at_once))
        return [Attempt(proposal, self._jobs(proposal.settings)) for proposal in proposals]

    def _jobs(self, settings: Mapping[str, Any]) -> tuple[Job, ...]:
        jobs = sweep_jobs(self.sweep, self.overrides, self.wandb, settings)
        if self.search.method != "asha":
            return tuple(jobs)
        (job,) = jobs
        halving = self.search.halving
        stop = limits(self._losses, rungs_of(job, halving), halving.factor)
        return (job.with_limits(stop, halving.loss),)

    def _verdict(self, attempt: Attempt, judge: Judge) -> Verdict:
        """The end of a trial: failed or stopped if any of its runs is, else their mean scores."""
        states = {job.state(self.root): job for job in attempt.jobs}
        if failed := states.get("failed"):
            why = RunFolder(failed.folder(self.root), strict=False).failure.reason
            return Verdict("failed", reason=why)
        losses = self._losses_of(attempt.jobs[0]) if self.search.method == "asha" else {}
        if "stopped" in states:
            return Verdict("stopped", losses=losses)
        try:
            rows = [judge.scores(job.folder(self.root)) for job in attempt.jobs]
        except AtelierError as error:
            return Verdict("failed", reason=str(error))
        return Verdict("done", list(map(statistics.fmean, zip(*rows, strict=True))), losses)

    def _losses_of(self, job: Job) -> dict[int, float]:
        halving = self.search.halving
        return losses_at(job.folder(self.root), rungs_of(job, halving), halving.loss)


def _trial(attempt: Attempt, verdict: Verdict) -> Trial:
    runs = [job.id for job in attempt.jobs]
    proposal = attempt.proposal
    return Trial(
        proposal.number,
        dict(proposal.settings),
        runs,
        verdict.state,
        list(verdict.values),
        verdict.reason,
    )
