"""Text for a terminal or a file."""

from __future__ import annotations

import io

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from evaluation.tables.results import ResultTable
from evaluation.tables.writers.grid import grid

WIDEST = 10_000  # columns of a file
NARROWEST = 160


def write(table: ResultTable, terminal: bool = False) -> str:
    """The table as text; on a terminal as wide as that, and with bold type."""
    head, rows = grid(table)
    drawn = Table(box=box.SIMPLE, pad_edge=False)
    for column in head:
        # The network goes to a line of its own, with the arrow.
        name = column.text.replace(".", "\n", 1) if column.number else column.text
        side = "right" if column.number else "left"
        drawn.add_column(Text(name), justify=side, overflow="fold")
    for row in rows:
        drawn.add_row(*(Text(cell.text, style="bold" if cell.best else "") for cell in row))
    file = io.StringIO()
    console = Console(file=file, force_terminal=terminal, width=None if terminal else WIDEST)
    if not terminal:
        console.width = max(NARROWEST, console.measure(drawn).maximum)
    console.print(drawn)
    return "\n".join(line.rstrip() for line in file.getvalue().splitlines()) + "\n"
