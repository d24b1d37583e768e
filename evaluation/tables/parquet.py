"""Parquet files: rows of any columns, and the runs that results.parquet holds."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path

from datamodules.support.extras import require_extra
from datamodules.support.files import atomic
from evaluation.tables.run import Run
from evaluation.tables.run_files import connect

COLUMNS = {  # of a run, by DuckDB's types
    "folder": "VARCHAR",
    "set": "VARCHAR",
    "labels": "JSON",
    "method": "VARCHAR",
    "metrics": "MAP(VARCHAR, DOUBLE)",
    "unavailable": "MAP(VARCHAR, VARCHAR)",
    "seconds": "DOUBLE",
    "encoder": "VARCHAR",
    "failure": "VARCHAR",
    "command": "VARCHAR",
}
_MAPPINGS = ("labels", "metrics", "unavailable")
_PLAIN = tuple(name for name in COLUMNS if name not in _MAPPINGS)


def read_stored(path: Path) -> dict[str, tuple[Run, str]] | None:
    """Runs by folder, each with its mark; {} without a file, None for a damaged or foreign one."""
    require_extra("duckdb", "report")
    import duckdb

    if not path.exists():
        return {}
    columns = ", ".join(f'"{name}"' for name in _PLAIN)
    columns += ", ".join(["", *(f"to_json({name})::VARCHAR" for name in _MAPPINGS), "mark"])
    literal = re.sub(r"([*?\[])", r"[\1]", str(path.absolute()))
    try:
        with connect() as connection:
            query = f"SELECT {columns} FROM read_parquet($path)"  # our own columns' names
            rows = connection.execute(query, {"path": literal}).fetchall()
    except duckdb.Error:
        return None
    return dict(map(_stored_run, rows))


def _stored_run(row: tuple) -> tuple[str, tuple[Run, str]]:
    *plain, labels, metrics, unavailable, mark = row
    mappings = zip(_MAPPINGS, map(json.loads, (labels, metrics, unavailable)), strict=True)
    run = Run(**dict(zip(_PLAIN, plain, strict=True)), **dict(mappings))
    return run.folder, (run, mark)


def write_stored(path: Path, runs: Iterable[tuple[Run, str]]) -> None:
    """Write runs with their marks, one row each."""
    rows = ({name: getattr(run, name) for name in COLUMNS} | {"mark": mark} for run, mark in runs)
    write_parquet(path, COLUMNS | {"mark": "VARCHAR"}, rows)


def write_parquet(path: Path, columns: Mapping[str, str], rows: Iterable[Mapping]) -> None:
    """Write rows as Parquet, whole or not at all.

    columns: DuckDB's types by name; the names differ in more than their case.
    """
    with tempfile.TemporaryDirectory() as folder, atomic(path) as temporary, connect() as database:
        lines = Path(folder) / "rows.json"
        with lines.open("w", encoding="utf-8") as file:
            file.writelines(json.dumps(row, allow_nan=False) + "\n" for row in rows)
        # Passed as a file, since DuckDB inserts single rows as slowly as any database.
        database.execute(
            "COPY (SELECT * FROM read_json($rows, columns=$columns, format='newline_delimited'))"
            " TO $path (FORMAT parquet)",
            {"rows": str(lines), "columns": dict(columns), "path": str(temporary)},
        )
