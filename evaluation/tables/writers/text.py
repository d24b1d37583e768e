"""Text for a terminal or a file."""

from __future__ import annotations

import io

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from evaluation.tables.sheet import Sheet

WIDEST = 10_000  # columns of a file
NARROWEST = 160


def write(table: Sheet, terminal: bool = False, title: str | None = None) -> str:
    """The table as text; on a terminal as wide as that, and with bold type."""
    grid = Table(title=title, title_justify="left", box=box.SIMPLE, pad_edge=False)
    for column in table.head:
        # The network goes to a line of its own, with the arrow.
        name = f"{column.key} {column.arrow}".strip()
        name = name.replace(".", "\n", 1) if column.number else name
        side = "right" if column.number else "left"
        grid.add_column(Text(name), justify=side, overflow="fold")
    for row in table.rows:
        grid.add_row(*(Text(str(value), style="bold" if value.best else "") for value in row))
    file = io.StringIO()
    console = Console(file=file, force_terminal=terminal, width=None if terminal else WIDEST)
    if not terminal:
        console.width = max(NARROWEST, console.measure(grid).maximum)
    console.print(grid)
    return "\n".join(line.rstrip() for line in file.getvalue().splitlines()) + "\n"
