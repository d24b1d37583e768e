"""Scores for people: one row a score, with the direction in which it is better."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from rich import box
from rich.table import Table

if TYPE_CHECKING:  # torch takes seconds, and tables of stored results need none
    from evaluation.metrics.base import Score

MOST_COLUMNS = 5  # pictures that are shown one by one; of more, mean and spread
ARROWS = {True: "↑", False: "↓", None: ""}


def score_table(
    cases: Mapping[str, Mapping[str, float | None]], meanings: Mapping[str, Score]
) -> Table:
    """A table of scores: a column a case or, of many, mean, standard deviation and n.

    cases: scores by case; None is shown as "-". meanings: of the scores, in the order of the rows;
    scores without one come last.
    """
    present = {name for values in cases.values() for name in values}
    names = [name for name in meanings if name in present]
    names += sorted(present.difference(names))
    many = len(cases) > MOST_COLUMNS
    table = Table(box=box.SIMPLE, pad_edge=False)
    table.add_column("score", no_wrap=True)
    for column in ["mean", "sd", "n"] if many else cases:
        table.add_column(column, justify="right", overflow="fold")
    table.add_column("", style="dim", overflow="fold")
    for name in names:
        values = [values.get(name) for values in cases.values()]
        score = meanings.get(name)
        arrow = f" {ARROWS[score.higher_is_better]}" if score else ""
        cells = _summary(values) if many else [shown(value) for value in values]
        table.add_row(name + arrow, *cells, _remark(score))
    return table


def shown(value: float | None) -> str:
    """A number with four digits that count; "-" for None."""
    return "-" if value is None else f"{value:.4g}"


def _summary(values: Sequence[float | None]) -> list[str]:
    known = [value for value in values if value is not None]
    spread = statistics.stdev(known) if len(known) > 1 else None
    return [shown(statistics.mean(known) if known else None), shown(spread), str(len(known))]


def _remark(score: Score | None) -> str:
    return ", ".join(part for part in (score.unit, score.note) if part) if score else ""
