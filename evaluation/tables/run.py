"""A run as a row of numbers and labels."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from evaluation.tables.meanings import SECONDS


@dataclass(frozen=True)
class Run:
    """A finished or failed run.

    folder: relative to the folder that was searched, "/"-separated, "." for that folder itself.
    set:    of the bench or sweep that it belongs to, "" if none.
    labels: identify it and vary between runs, by name.
    metrics: scores by name, None where one does not apply. unavailable: reason by metric.
    seconds: sum of the stages without loading, 0 if unknown.
    encoder: identity of the one that was optimised.
    failure: why there is no result, "" for a whole run. command: makes it, "" if unknown.
    """

    folder: str
    set: str
    labels: dict[str, Any]
    method: str
    metrics: dict[str, float | None]
    unavailable: dict[str, str]
    seconds: float
    encoder: str
    failure: str
    command: str

    def label(self, name: str) -> Any:
        """A label or, where none has that name, "method", "set" or "encoder"; None if missing."""
        if name in self.labels:
            return self.labels[name]
        return {"method": self.method, "set": self.set, "encoder": self.encoder}.get(name) or None

    def value(self, name: str) -> float | None:
        """A score, or the seconds; None if it is missing."""
        if name in self.metrics or name != SECONDS:
            return self.metrics.get(name)
        return self.seconds or None

    @property
    def values(self) -> dict[str, float | None]:
        """All numbers: the scores, and the seconds."""
        return {SECONDS: self.seconds or None} | self.metrics


def label_names(runs: Iterable[Run]) -> list[str]:
    """All labels of the runs, the method first."""
    return list(dict.fromkeys(["method", *(name for run in runs for name in run.labels)]))


def order(run: Run, names: Iterable[str]) -> list[tuple]:
    """Sort key of a run by labels: missing ones first, then numbers, then texts."""
    return [_rank(run.label(name)) for name in names]


def _rank(value: object) -> tuple:
    if isinstance(value, int | float):
        return (1, value)
    return (0,) if value is None else (2, str(value))
