"""Groups of runs: the labels that tell them apart, and means with spread.

Everything that prints a mean takes it from here: tables for terminals, files and papers, the
report's page, and the reproduced tables.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from evaluation.tables.run import Run, label_names, order

CIRCUMSTANCES = ("picture", "object", "style", "seed")  # labels over which means are taken


@dataclass(frozen=True)
class Cell:
    """One score of several runs. mean: None if n is 0. sd: of a sample, None if n is below 2."""

    mean: float | None
    sd: float | None
    n: int


def summary(values: Iterable[float | None]) -> Cell:
    """Mean and spread of the values that are not None."""
    present = [value for value in values if value is not None]
    return Cell(
        statistics.fmean(present) if present else None,
        statistics.stdev(present) if len(present) > 1 else None,
        len(present),
    )


@dataclass(frozen=True)
class Group:
    """Runs that agree in some labels, `key`."""

    key: Mapping[str, Any]
    runs: tuple[Run, ...]

    @property
    def n(self) -> int:
        """The number of runs."""
        return len(self.runs)

    def cell(self, score: str) -> Cell:
        """One score of the group's runs, or their seconds."""
        return summary(run.value(score) for run in self.runs)


def grouped(runs: Sequence[Run], by: Sequence[str]) -> list[Group]:
    """Groups of the runs that agree in the labels `by`, in the order of these labels."""
    groups = sorted(_alike(runs, by), key=lambda group: order(group[0], by))
    return [Group({name: runs[0].label(name) for name in by}, tuple(runs)) for runs in groups]


def varying(runs: Sequence[Run], names: Iterable[str]) -> list[str]:
    """Labels that vary between the runs; a missing label counts as a value of its own."""
    return [name for name in names if len({identity(run.label(name)) for run in runs}) > 1]


def usual_labels(runs: Sequence[Run]) -> list[str]:
    """Labels by which runs are compared by default: methods and settings.

    Pictures, styles, objects and seeds are averaged. Runs of several sets, or optimised with
    several encoders, are never averaged together.
    """
    names = [name for name in label_names(runs) if name not in CIRCUMSTANCES]
    by = varying(runs, names) or ["method"]
    for name in ("set", "encoder"):
        if name not in by and any(varying(group, [name]) for group in _alike(runs, by)):
            by.append(name)
    return by


def identity(value: object) -> tuple:
    """A label's value as it is compared with others."""
    return (isinstance(value, bool), value)  # True == 1 in Python, but they are different labels


def _alike(runs: Iterable[Run], by: Sequence[str]) -> list[list[Run]]:
    groups: dict[tuple, list[Run]] = {}
    for run in runs:
        groups.setdefault(tuple(identity(run.label(name)) for name in by), []).append(run)
    return list(groups.values())
