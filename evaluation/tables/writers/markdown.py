"""Markdown for a page."""

from __future__ import annotations

import re

from evaluation.tables.results import ResultTable
from evaluation.tables.writers.grid import grid


def write(table: ResultTable) -> str:
    """The table as Markdown, the best in bold."""
    head, rows = grid(table)
    lines = [[escape(cell.text) for cell in head]]
    lines.append(["---:" if cell.number else ":---" for cell in head])
    for row in rows:
        lines.append([f"**{escape(c.text)}**" if c.best else escape(c.text) for c in row])
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def escape(text: str) -> str:
    """Text that Markdown shows as it is; within a word an underscore means nothing to it."""
    text = re.sub(r"([\\`*|<>\[\]~])", r"\\\1", text)
    return re.sub(r"(?<![^\W_])_|_(?![^\W_])", r"\\_", text)
