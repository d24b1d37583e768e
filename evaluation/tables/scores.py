"""Table of a few pictures' scores: one row per score, with the direction that is better."""

from __future__ import annotations

from collections.abc import Mapping

from rich import box
from rich.table import Table

from evaluation.metrics.scores import Score
from evaluation.tables.groups import summary
from evaluation.tables.meanings import ARROWS
from evaluation.tables.numbers import number

MOST_COLUMNS = 5  # pictures with a column each; more are summarised by mean and spread


def score_table(
    cases: Mapping[str, Mapping[str, float | None]], meanings: Mapping[str, Score]
) -> Table:
    """One column per case or, for many, mean, standard deviation and n.

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
        title = f"{name} {ARROWS[score.higher_is_better]}".strip() if score else name
        cell = summary(values)
        summarised = [number(cell.mean), number(cell.sd), str(cell.n)]
        cells = summarised if many else [number(value) for value in values]
        table.add_row(title, *cells, score.remark if score else "")
    return table
