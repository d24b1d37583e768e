"""The trials of a search, as search.json in the folder of its runs has them.

The file is a summary for tables and reports, written after every round. The search itself goes on
from the runs alone.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from datamodules.support.errors import AtelierError
from datamodules.support.files import write_json
from evaluation.front import front
from evaluation.tables.numbers import label, number

SEARCH = "search.json"


@dataclass(frozen=True)
class Trial:
    """One trial.

    number: from 0. settings: by name. runs: their ids. state: done, failed or stopped.
    values: scores of a trial that is done. reason: why it has failed.
    """

    number: int
    settings: Mapping[str, Any]
    runs: list[str]
    state: str
    values: list[float] = field(default_factory=list)
    reason: str = ""

    def described(self) -> str:
        """ "trial 3: model.tau 0.31, style fire"."""
        settings = ", ".join(f"{name} {label(value)}" for name, value in self.settings.items())
        return f"trial {self.number}: {settings}"


@dataclass(frozen=True)
class SearchRecord:
    """A search and its trials so far.

    goals: names of the scores. higher: for each whether more is better. planned: number of trials.
    """

    method: str
    goals: list[str]
    higher: list[bool]
    planned: int
    trials: list[Trial] = field(default_factory=list)

    @property
    def done(self) -> list[Trial]:
        """The trials that have scores."""
        return [trial for trial in self.trials if trial.state == "done"]

    def best(self) -> list[Trial]:
        """The best trial by one goal, or the Pareto front by several, best first by the first goal;
        equal settings and scores once.
        """
        unique = {(str(trial.settings), *trial.values): trial for trial in reversed(self.done)}
        done = sorted(unique.values(), key=lambda trial: trial.number)
        ranks = [done[k] for k in front([trial.values for trial in done], self.higher)]
        ranks.sort(key=lambda trial: trial.values[0], reverse=self.higher[0])
        return ranks if len(self.goals) > 1 else ranks[:1]

    def scores(self, trial: Trial) -> str:
        """ "style_patch 0.431, leakage 0.02"."""
        pairs = zip(self.goals, trial.values, strict=True)
        return ", ".join(f"{name} {number(value)}" for name, value in pairs)

    def so_far(self) -> str:
        """The state of the search in a line."""
        states = Counter(trial.state for trial in self.trials)
        counts = ", ".join(f"{states[state]} {state}" for state in ("done", "stopped", "failed"))
        text = f"{len(self.trials)} of {self.planned} trials ({counts})"
        if not (best := self.best()):
            return f"{text}; none has a score so far"
        if len(self.goals) > 1:
            text += f"; {len(best)} on the Pareto front, e.g."
        else:
            text += "; best so far"
        return f"{text} {self.scores(best[0])} by {best[0].described()}"


def write_search(root: Path, record: SearchRecord) -> None:
    """Write search.json."""
    write_json(root / SEARCH, asdict(record))


def read_search(root: Path) -> SearchRecord | None:
    """The search of a folder, None if there is none; AtelierError for a damaged file."""
    path = root / SEARCH
    if not path.exists():
        return None
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        trials = [Trial(**trial) for trial in content.pop("trials")]
        return SearchRecord(**content, trials=trials)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise AtelierError(f"{path} is damaged; the search's own command writes it anew") from error
