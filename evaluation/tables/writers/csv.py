"""Comma-separated values: exact numbers, "-" for missing ones."""

from __future__ import annotations

import csv
import io

from evaluation.tables.numbers import label
from evaluation.tables.sheet import Flat


def write(table: Flat) -> str:
    """The table as CSV."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(table.columns)
    writer.writerows(map(label, row) for row in table.rows)
    return text.getvalue()
