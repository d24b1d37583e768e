"""Comma-separated values: exact numbers, "-" for missing ones."""

from __future__ import annotations

import csv
import io

from evaluation.tables.numbers import label
from evaluation.tables.results import ResultTable
from evaluation.tables.writers import flat


def write(table: ResultTable) -> str:
    """The table as CSV."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(flat.columns(table))
    writer.writerows(map(label, row) for row in flat.rows(table))
    return text.getvalue()
