"""Parquet: the flat columns with their types."""

from __future__ import annotations

from pathlib import Path

from evaluation.tables.numbers import label
from evaluation.tables.parquet import write_parquet
from evaluation.tables.results import ResultTable
from evaluation.tables.writers import flat


def write_file(table: ResultTable, path: Path) -> None:
    """Write the table to a Parquet file, whole or not at all."""
    columns, rows = flat.columns(table), []
    for values in flat.rows(table):
        row = dict(zip(columns, values, strict=True))
        for name, value in row.items():
            if columns[name] == "VARCHAR" and value is not None:
                row[name] = label(value)
        rows.append(row)
    write_parquet(path, columns, rows)
