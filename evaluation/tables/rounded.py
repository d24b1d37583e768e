"""A table of results for people: rounded numbers, headings in words, the best in bold."""

from __future__ import annotations

from collections import Counter

from evaluation.tables import numbers
from evaluation.tables.exact import type_of
from evaluation.tables.groups import Cell
from evaluation.tables.meanings import (
    arrow,
    label_title,
    method_title,
    network,
    stem,
    title,
    unit,
)
from evaluation.tables.results import ResultTable, printable
from evaluation.tables.sheet import Heading, Sheet, Value


def sheet(table: ResultTable, caption: str = "", name: str = "") -> Sheet:
    """The table's rounded numbers. caption: in place of the usual one."""
    labels = [_label_heading(table, key) for key in table.keys]
    runs = [] if table.each else [Heading("n", "runs")]
    scores = [_score_heading(table, score) for score in table.scores]
    return Sheet(
        [*labels, *runs, *scores], _rows(table), len(labels), caption or usual_caption(table), name
    )


def _label_heading(table: ResultTable, key: str) -> Heading:
    kind = type_of(group.key[key] for group in table.groups)
    return Heading(printable(key), printable(label_title(key)), number=kind in ("BIGINT", "DOUBLE"))


def _score_heading(table: ResultTable, score: str) -> Heading:
    """Its network is told where the table has the score by several."""
    several = Counter(map(stem, table.scores))[stem(score)] > 1
    words = printable(title(score)) + (f" ({unit(score)})" if unit(score) else "")
    by = printable(network(score)) if several else ""
    return Heading(printable(score), words, by, arrow(score))


def _rows(table: ResultTable) -> list[list[Value]]:
    best, rows = {name: table.best(name) for name in table.scores}, []
    for k, group in enumerate(table.groups):
        row = [Value(printable(numbers.label(group.key[key]))) for key in table.keys]
        row += [] if table.each else [Value(str(group.n))]
        row += [_value(group.cell(m), group.n, k == best[m]) for m in table.scores]
        rows.append(row)
    return rows


def _value(cell: Cell, runs: int, best: bool) -> Value:
    """Mean and spread, and the number of values where it is not that of the row."""
    return Value(numbers.mean(cell), numbers.deviation(cell), numbers.count(cell, runs), best)


def with_method_titles(table: Sheet) -> Sheet:
    """The table with methods, and systems of a study, as papers write them."""
    labels = enumerate(table.head[: table.labels])
    at = [k for k, head in labels if head.key in ("method", "system")]
    rows = [
        [Value(method_title(v.text)) if k in at else v for k, v in enumerate(row)]
        for row in table.rows
    ]
    return Sheet(table.head, rows, table.labels, table.caption, table.name)


def usual_caption(table: ResultTable) -> str:
    """Meaning of the numbers, their judges, and the rule of bold type."""
    what = "One row per run" if table.each else "Mean ± standard deviation over the runs"
    sets = sorted({run.set for group in table.groups for run in group.runs if run.set})
    what += f" of {', '.join(sets)}." if sets else "."
    parts = [what, *_judges(table), "↑: higher is better, ↓: lower.", table.about_bold]
    return printable(" ".join(filter(None, parts)))


def _judges(table: ResultTable) -> list[str]:
    """A sentence per network that measured, for scores whose heading does not tell it."""
    titles: dict[str, list[str]] = {}
    for score in table.scores:
        if network(score) and not _score_heading(table, score).network:
            titles.setdefault(network(score), []).append(title(score))
    return [f"By {by}: {', '.join(names)}." for by, names in titles.items()]
