"""A table as rounded texts, for people: the form that text, Markdown and LaTeX share."""

from __future__ import annotations

from dataclasses import dataclass

from evaluation.tables import numbers
from evaluation.tables.groups import Cell
from evaluation.tables.meanings import arrow
from evaluation.tables.results import ResultTable, printable
from evaluation.tables.writers.flat import type_of


@dataclass(frozen=True)
class GridCell:
    """A text, whether it is the best of its column, and whether it is a number."""

    text: str
    best: bool = False
    number: bool = True


Row = list[GridCell]


def grid(table: ResultTable) -> tuple[Row, list[Row]]:
    """Head and rows."""
    return _head(table), _rows(table)


def _head(table: ResultTable) -> Row:
    head = []
    for key in table.keys:
        kind = type_of(group.key[key] for group in table.groups)
        head.append(GridCell(printable(key), number=kind in ("BIGINT", "DOUBLE")))
    head += [] if table.each else [GridCell("n")]
    return head + [GridCell(printable(f"{name} {arrow(name)}")) for name in table.scores]


def _rows(table: ResultTable) -> list[Row]:
    best, rows = {name: table.best(name) for name in table.scores}, []
    for k, group in enumerate(table.groups):
        labels = (printable(numbers.label(group.key[key])) for key in table.keys)
        row = [GridCell(text, number=False) for text in labels]
        row += [] if table.each else [GridCell(str(group.n))]
        row += [GridCell(_value(group.cell(m), group.n), k in best[m]) for m in table.scores]
        rows.append(row)
    return rows


def _value(cell: Cell, runs: int) -> str:
    """Mean and spread, and the number of values where it is not that of the row."""
    count = numbers.count(cell, runs)
    return numbers.mean_and_spread(cell) + (f" ({count})" if count else "")
