"""The table of parsers: one row per parser, the published rows below.

A row maps names to numbers (see `evaluation.parsers.Measurement.row`); a name that a row lacks is
shown as "-".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from evaluation.tables.sheet import Heading, Sheet, Value


class Column(NamedTuple):
    """A column: its heading, the name of its value in a row, and the value's format."""

    heading: str
    name: str
    form: str


COLUMNS = (
    Column("parser", "parser", "s"),
    Column("exact", "exact", ".2f"),
    Column("object", "exact_object", ".2f"),
    Column("style", "exact_style", ".2f"),
    Column("F1 obj", "f1_object", ".2f"),
    Column("F1 sty", "f1_style", ".2f"),
    Column("IoU obj", "iou_object", ".2f"),
    Column("IoU sty", "iou_style", ".2f"),
    Column("judge", "judge", ".2f"),
    Column("GPT-3.5", "gpt_3_5", ".2f"),
    Column("GPT-4", "gpt_4", ".2f"),
    Column("s/parse", "seconds_per_parse", ".2f"),
    Column("s load", "seconds_to_load", ".1f"),
    Column("n", "n", "g"),
)


def cells(row: Mapping[str, Any]) -> list[str]:
    """The row's values in the order of COLUMNS."""
    return [format(row[name], form) if name in row else "-" for _, name, form in COLUMNS]


def published_rows(published: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The rows of a published table (see `read_parsers`), their parsers marked with "*"."""
    return [
        row | {"parser": f"{row['parser']} *", "n": published["instructions"]}
        for row in published["rows"]
    ]


def sheet(summary: Mapping[str, Any]) -> Sheet:
    """The table for people.

    summary: "rows" and "published", see `ParserTable.summary`.
    """
    head = [Heading(c.heading, c.heading, number=c.name != "parser") for c in COLUMNS]
    rows = [*summary["rows"], *published_rows(summary["published"])]
    return Sheet(head, [list(map(Value, cells(row))) for row in rows])


def source(summary: Mapping[str, Any]) -> str:
    """The origin of the published rows, in one line."""
    return f"{summary['published']['source']}, {summary['published']['note']}"
