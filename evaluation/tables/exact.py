"""A table of results for machines: typed columns of labels, then mean, sd and n of each score."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from evaluation.tables.results import ResultTable
from evaluation.tables.sheet import Flat


def flat(table: ResultTable) -> Flat:
    """The table's exact numbers."""
    return Flat(columns(table), list(rows(table)))


def columns(table: ResultTable) -> dict[str, str]:
    """DuckDB's types by column; no two names differ only in their case, which DuckDB ignores."""
    pairs = [(key, type_of(group.key[key] for group in table.groups)) for key in table.keys]
    if table.each:
        pairs += [(name, "DOUBLE") for name in table.scores]
    else:
        parts = (("mean", "DOUBLE"), ("sd", "DOUBLE"), ("n", "BIGINT"))
        pairs.append(("n", "BIGINT"))
        pairs += [(f"{name}_{part}", kind) for name in table.scores for part, kind in parts]
    unique: dict[str, str] = {}
    for name, kind in pairs:
        while not name or name.lower() in map(str.lower, unique):
            name += "_"
        unique[name] = kind
    return unique


def rows(table: ResultTable) -> Iterator[list[Any]]:
    """The values of the columns."""
    for group in table.groups:
        labels = [group.key[name] for name in table.keys]
        cells = [group.cell(name) for name in table.scores]
        if table.each:
            yield labels + [cell.mean for cell in cells]
        else:
            yield [*labels, group.n, *(x for c in cells for x in (c.mean, c.sd, c.n))]


def type_of(values: Iterable[Any]) -> str:
    """DuckDB's type for the values of a label."""
    present = [value for value in values if value is not None]
    kinds = {type(value) for value in present}
    if kinds == {bool}:
        return "BOOLEAN"
    if kinds == {int} and all(-(2**63) <= value < 2**63 for value in present):
        return "BIGINT"
    return "DOUBLE" if kinds and kinds <= {int, float} else "VARCHAR"
