"""HTML of texts, elements and tables.

Every text passes through `text`; nothing that a run or a person has named is ever markup.
"""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence


def text(value: object) -> str:
    """Any text as HTML that shows it."""
    return html.escape(str(value), quote=True)


def tag(name: str, inner: str, **attributes: str) -> str:
    """An element; `inner` is HTML. A trailing "_" of an attribute's name is dropped."""
    pairs = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{text(value)}"' for key, value in attributes.items()
    )
    return f"<{name}{pairs}>{inner}</{name}>"


def table(head: Sequence[str], rows: Iterable[str], caption: str) -> str:
    """A table in a box that scrolls where it is too wide; cells and rows are HTML."""
    top = "".join(tag("th", cell, scope="col") for cell in head)
    body = f"<thead><tr>{top}</tr></thead><tbody>{''.join(rows)}</tbody>"
    inner = f'<caption class="hidden">{text(caption)}</caption>{body}'
    # A box that scrolls must be reachable without a mouse.
    box = {"class_": "scroll", "role": "region", "tabindex": "0", "aria_label": caption}
    return tag("div", tag("table", inner), **box)


def row(first: str, cells: Iterable[str], **attributes: str) -> str:
    """A row of a table; its first cell is its heading. All cells are HTML."""
    inner = tag("th", first, scope="row") + "".join(tag("td", cell) for cell in cells)
    return tag("tr", inner, **attributes)


def command_box(command: str) -> str:
    """A command with a button that copies it."""
    button = '<button type="button" class="copy">Copy</button>'
    return tag(
        "div", tag("pre", tag("code", text(command)), tabindex="0") + button, class_="command"
    )
