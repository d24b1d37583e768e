"""Trials that Optuna proposes, round after round, from the scores of those before.

The study lives in memory. Proposals depend on the search's seed and on the results told, in order:
telling the results of a folder's runs again leads to the same proposals, with the same random
numbers, as without an interruption.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any, Literal

from datamodules.support.extras import require_extra
from experiments.campaigns.search_file import Search

DIGITS = 6  # of numbers that are proposed: more are invisible in labels and change nothing


@dataclass(frozen=True)
class Proposal:
    """A trial's number, from 0, and its settings as the sweep's file names them."""

    number: int
    settings: Mapping[str, Any]


@dataclass(frozen=True)
class Verdict:
    """The end of a trial.

    values: its scores, of one that is done. losses: at the rungs that it reached, by step.
    reason: why it has failed.
    """

    state: Literal["done", "failed", "stopped"]
    values: Sequence[float] = ()
    losses: Mapping[int, float] = field(default_factory=dict)
    reason: str = ""


class Proposals:
    """Optuna's study of a search. higher: for each goal whether more is better.

    Raises AtelierError where Optuna is not installed.
    """

    def __init__(self, search: Search, higher: Sequence[bool]) -> None:
        optuna = _optuna()
        self.higher = higher
        self.over = search.over
        self.states = optuna.trial.TrialState
        self._space = {name: _distribution(optuna, span) for name, span in search.over.items()}
        samplers = {
            "tpe": lambda: optuna.samplers.TPESampler(seed=search.seed),
            "asha": lambda: optuna.samplers.TPESampler(seed=search.seed),
            "nsga2": lambda: optuna.samplers.NSGAIISampler(
                seed=search.seed, population_size=max(2, search.at_once)
            ),
        }
        directions = ["maximize" if up else "minimize" for up in higher]
        self._study = optuna.create_study(sampler=samplers[search.method](), directions=directions)
        self._trials = {}

    def ask(self, count: int) -> list[Proposal]:
        """The next trials."""
        trials = [self._study.ask(self._space) for _ in range(count)]
        self._trials |= {trial.number: trial for trial in trials}
        return [Proposal(trial.number, self._settings(trial.params)) for trial in trials]

    def tell(self, number: int, verdict: Verdict) -> None:
        """The end of a trial."""
        trial = self._trials.pop(number)
        if verdict.state == "done":
            self._study.tell(trial, list(verdict.values))
        elif verdict.state == "failed":
            self._study.tell(trial, state=self.states.FAIL)
        else:
            sign = -1 if self.higher[0] else 1  # Optuna ranks losses in the direction of the score
            for step, loss in verdict.losses.items():
                trial.report(sign * loss, step)
            self._study.tell(trial, state=self.states.PRUNED)

    def _settings(self, drawn: Mapping[str, Any]) -> dict[str, Any]:
        return {name: _value(span, drawn[name]) for name, span in self.over.items()}


def _optuna() -> ModuleType:
    require_extra("optuna", "search")
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    return optuna


def _distribution(optuna: ModuleType, span: Any) -> Any:
    """Distribution of a setting: numbers in a range, whole if its bounds are, or list indices."""
    if isinstance(span, list):
        return optuna.distributions.CategoricalDistribution(range(len(span)))
    low, high, log = span["low"], span["high"], span.get("log", False)
    whole = isinstance(low, int) and isinstance(high, int)
    kinds = optuna.distributions
    return (kinds.IntDistribution if whole else kinds.FloatDistribution)(low, high, log=log)


def _value(span: Any, drawn: Any) -> Any:
    if isinstance(span, list):
        return span[drawn]
    if isinstance(drawn, int):
        return drawn
    return min(max(float(f"{drawn:.{DIGITS}g}"), span["low"]), span["high"])
