"""JSON: [{"labels": {...}, "n": ..., "metrics": {NAME: {"mean", "sd", "n"}}}, ...]."""

from __future__ import annotations

import json
from dataclasses import asdict

from evaluation.tables.results import ResultTable


def write(table: ResultTable) -> str:
    """The table as JSON; with one row per run, a metric is its value alone."""
    rows = []
    for group in table.groups:
        cells = {name: group.cell(name) for name in table.scores}
        if table.each:
            metrics, number = {name: cell.mean for name, cell in cells.items()}, {}
        else:
            metrics, number = {n: asdict(cell) for n, cell in cells.items()}, {"n": group.n}
        rows.append({"labels": group.key, **number, "metrics": metrics})
    return json.dumps(rows, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
