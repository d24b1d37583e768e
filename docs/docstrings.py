"""Atelier's docstrings as reStructuredText: an extension of Sphinx.

A docstring is plain text: `name: meaning` lines describe arguments, with or without "Args:" above
them, indented lines are tables or examples and stay as they are, and stars are stars.
"""

from __future__ import annotations

import re
from itertools import groupby
from typing import Any

ARGUMENT = re.compile(r"^(\*{0,2}[a-z][\w.]*(?:, \*{0,2}[a-z][\w.]*)*): +(?=\S)")
SECTION = re.compile(r"^(Args|Attributes|Raises|Warns|Returns|Yields|Example):$")
MARKUP = re.compile(r"(`[^`]*`)|([*|\\]|(?<=\w)_(?!\w))")


def setup(app: Any) -> None:
    """Convert each docstring that autodoc reads."""
    app.connect("autodoc-process-docstring", _convert)


def _convert(app: Any, what: str, name: str, obj: Any, options: Any, lines: list[str]) -> None:
    lines[:] = converted(lines)


def converted(lines: list[str]) -> list[str]:
    """Lines of a docstring, without its common indentation, as reStructuredText."""
    result: list[str] = []
    for is_text, group in groupby(lines, key=lambda line: bool(line.strip())):
        result += _paragraph(list(group)) if is_text else [""]
    return result


def _paragraph(lines: list[str]) -> list[str]:
    if lines and SECTION.match(lines[0]):
        return [f"**{lines[0]}**", *_paragraph([line.removeprefix("    ") for line in lines[1:]])]
    result: list[str] = []
    kind = "text"
    for line in lines:
        before, kind = kind, _kind(line, kind)
        if before != kind and kind != "item":
            result += ["", "::", ""] if kind == "table" else [""]
        if kind == "item":
            item = ARGUMENT.sub(r"- `\1`: ", line)
            result += ["", _escaped(item)] if item[:2] == "- " else [f"  {_escaped(line.strip())}"]
        else:
            result.append(f"    {line}" if kind == "table" else _escaped(line))
    return result


def _kind(line: str, before: str) -> str:
    """Part of a paragraph to which a line belongs: item of a list, table, or text."""
    if ARGUMENT.match(line) or line.startswith("- "):
        return "item"
    if line.startswith("  "):
        return "item" if before == "item" else "table"
    return "text"


def _escaped(line: str) -> str:
    return MARKUP.sub(lambda match: match[1] or f"\\{match[2]}", line)
