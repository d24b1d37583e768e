"""The table of parsers, as text and as Markdown: one row per parser, the published rows below.

A row maps names to numbers (see `evaluation.parsers.Measurement.row`); a name that a row lacks is
shown as "-".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from rich import box
from rich.table import Table


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


def as_table(summary: Mapping[str, Any]) -> Table:
    """The table for a terminal.

    summary: "rows" and "published", see `ParserTable.summary`.
    """
    table = Table(box=box.SIMPLE, pad_edge=False, padding=(0, 1, 0, 0))
    for heading, *_ in COLUMNS:
        side = "left" if heading == "parser" else "right"
        table.add_column(heading, justify=side, no_wrap=True)
    for row in summary["rows"]:
        table.add_row(*cells(row))
    table.add_section()
    for row in published_rows(summary["published"]):
        table.add_row(*cells(row))
    return table


def as_markdown(summary: Mapping[str, Any]) -> str:
    """The table for a page; its argument is that of `as_table`."""
    lines = [[column.heading for column in COLUMNS], ["---", *["---:"] * (len(COLUMNS) - 1)]]
    lines += [cells(row) for row in [*summary["rows"], *published_rows(summary["published"])]]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def source(summary: Mapping[str, Any]) -> str:
    """The origin of the published rows, in one line."""
    return f"{summary['published']['source']}, {summary['published']['note']}"
