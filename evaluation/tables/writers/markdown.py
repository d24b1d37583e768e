"""Markdown for a page."""

from __future__ import annotations

import re

from evaluation.tables.sheet import Heading, Sheet, Value


def write(table: Sheet) -> str:
    """The table as Markdown, the best in bold."""
    lines = [[_heading(head) for head in table.head]]
    lines.append(["---:" if head.number else ":---" for head in table.head])
    lines += [[_cell(value) for value in row] for row in table.rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _heading(head: Heading) -> str:
    return escape(f"{head.key} {head.arrow}".strip())


def _cell(value: Value) -> str:
    text = escape(str(value))
    return f"**{text}**" if value.best else text


def escape(text: str) -> str:
    """Text that Markdown shows as it is; within a word an underscore means nothing to it."""
    text = re.sub(r"([\\`*|<>\[\]~])", r"\\\1", text)
    return re.sub(r"(?<![^\W_])_|_(?![^\W_])", r"\\_", text)
