"""Goals of a search: scores of finished runs, each to be as high or as low as possible."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from pkgutil import resolve_name
from typing import Any

from datamodules.run_folder import RunFolder, RunWriter
from datamodules.run_records import Result
from datamodules.support.errors import AtelierError
from datamodules.support.suggestions import there_are
from evaluation.metrics.scores import OWN, Score
from evaluation.scoring import evaluate_runs
from evaluation.suite import Suite
from evaluation.tables.meanings import stem
from experiments.campaigns.job import Job
from experiments.campaigns.search_file import Search
from experiments.run.metrics import judges_of, metrics_by_name
from experiments.run.own_code import has_form

Specs = Mapping[str, Mapping[str, Any]]  # metrics by name, as `Suite` takes them
BETTER = {True: "max", False: "min"}


@dataclass(frozen=True)
class Goal:
    """A score's name without a network, the metric that gives it, and whether higher is sought."""

    score: str
    metric: str
    higher: bool


def metrics_of(search: Search, models: str, names: Sequence[str] | None) -> Specs:
    """The metrics that are computed for runs of a preset of models, by name as `Suite` takes them.

    names: of metrics, None for the usual ones; beside them those that the search names by class.
    """
    metrics = metrics_by_name(judges_of(models), names)
    own = [name for name in search.metric if has_form(name)]
    return metrics | (metrics_by_name(judges_of(models), own) if own else {})


def goals_of(search: Search, metrics: Specs) -> list[Goal]:
    """The goals of a search among the scores of these metrics.

    Raises AtelierError for a score that none of them gives, or without a direction. On stderr it is
    said if a direction is against the score's own.
    """
    declared = {name: _scores(spec["class_path"]) for name, spec in metrics.items()}
    every = dict.fromkeys(score for scores in declared.values() for score in scores)
    directions = search.direction or [""] * len(search.metric)
    return [
        _goal(name, direction, declared, every)
        for name, direction in zip(search.metric, directions, strict=True)
    ]


def _scores(class_path: str) -> Mapping[str, Score]:
    """The scores of one picture that a metric declares; {} for one that compares seeds."""
    metric = resolve_name(class_path)
    return {} if metric.over_seeds else metric.scores


def _goal(
    name: str,
    direction: str,
    declared: Mapping[str, Mapping[str, Score]],
    every: Mapping[str, None],
) -> Goal:
    score = _only_score(name, declared[name]) if has_form(name) else stem(name)
    giving = [metric for metric, scores in declared.items() if score in scores]
    if not giving:
        raise AtelierError(
            f"The search is for {name!r}, and no metric that is computed gives it"
            f"{there_are(score, every)}"
        )
    # Of several metrics with this score the one of that name, else the one with the same judge.
    own = score.startswith(OWN)
    metric = min(giving, key=lambda m: (m != score, m.startswith(OWN) != own))
    better = BETTER.get(declared[metric][score].higher_is_better, "")
    if not direction and not better:
        raise AtelierError(f"{score} has no better direction; give direction: max, or min")
    if direction and better and direction != better:
        print(f"atelier: {score} is better {better}, and {direction} is sought", file=sys.stderr)
    return Goal(score, metric, (direction or better) == "max")


def _only_score(metric: str, scores: Mapping[str, Score]) -> str:
    """The score of a metric that the search names by its class."""
    if len(scores) != 1:
        raise AtelierError(
            f"{metric} gives {', '.join(scores) or 'no score of a single picture'}; name one score "
            f"as the metric, and start with --metrics {metric}"
        )
    return next(iter(scores))


class Judge:
    """Measures the goals of finished runs.

    Every run is scored once, by itself, and keeps these scores: they depend neither on the runs
    that end at the same time nor on later evaluations beside others, and a search that goes on
    finds them as they were.

    Raises AtelierError where a metric is unavailable, e.g. without its weights.
    """

    def __init__(self, goals: Sequence[Goal], metrics: Specs, device: str) -> None:
        self.goals = goals
        self.suite = Suite({goal.metric: metrics[goal.metric] for goal in goals}, device)
        for name, why in self.suite.unavailable.items():
            raise AtelierError(f"The search needs the metric {name}, which is unavailable: {why}")
        columns = (self.suite.metrics[goal.metric].column(goal.score) for goal in goals)
        self.names = dict.fromkeys(columns)

    def have_scores(self, jobs: Sequence[Job], root: Path) -> bool:
        """Whether all runs among these jobs that are done have their scores."""
        done = [job.folder(root) for job in jobs if job.state(root) == "done"]
        return all(self.names.keys() <= RunFolder(folder).result.judged.keys() for folder in done)

    def scores(self, folder: Path) -> list[float]:
        """The scores of a run in the order of the goals; AtelierError for one without them."""
        result = RunFolder(folder).result
        if not self.names.keys() <= result.judged.keys():
            result = self._judged(folder)
        for goal, name in zip(self.goals, self.names, strict=True):
            if result.judged[name] is None:
                why = result.unavailable.get(goal.metric, "it does not apply to this picture")
                raise AtelierError(f"{folder} has no {goal.score}: {why}")
        return [result.judged[name] for name in self.names]

    def _judged(self, folder: Path) -> Result:
        """The result of a run with its scores for this search, which are noted there."""
        for why in evaluate_runs([folder], self.suite).failures.values():
            raise AtelierError(why)
        result = RunFolder(folder).result
        scores = {name: result.metrics.get(name) for name in self.names}
        RunWriter(folder).update_result({"judged": {**result.judged, **scores}})
        return RunFolder(folder).result
