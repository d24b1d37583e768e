"""Parquet: the exact columns with their types."""

from __future__ import annotations

from pathlib import Path

from evaluation.tables.numbers import label
from evaluation.tables.parquet import write_parquet
from evaluation.tables.sheet import Flat


def write_file(table: Flat, path: Path) -> None:
    """Write the table to a Parquet file, whole or not at all."""
    rows = []
    for values in table.rows:
        row = dict(zip(table.columns, values, strict=True))
        for name, value in row.items():
            if table.columns[name] == "VARCHAR" and value is not None:
                row[name] = label(value)
        rows.append(row)
    write_parquet(path, table.columns, rows)
