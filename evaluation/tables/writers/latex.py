"""LaTeX for a paper: a float of the width of a column or a page, with the rules of booktabs.

A table that is too wide is set smaller, then its labels are broken into lines, then its scores into
blocks below each other. Rows beyond a page go to further floats.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from datamodules.support.errors import AtelierError
from evaluation.tables.sheet import Heading, Sheet, Value
from evaluation.tables.writers.latex_text import BOLD, escape, width

# In pt: those of ICML, the narrowest of the usual two-column papers.
COLUMN, PAGE = 234.0, 487.0
SIZES = {"small": 0.925, "footnotesize": 0.85}  # widths of a paper's 10 pt type, set smaller
SMALLER = 0.8  # of the spread, always in scriptsize
GAP = 6.0  # pt between columns
LABELS = 0.45  # of the width, at most, for labels beside scores that do not fit
NARROWEST, LONGEST = 28.0, 60.0  # pt of a label's column, and of a word in a heading
MOST_LINES, RULES = 54, 2  # lines of a page, and of the rules and the gap of a block
SPREAD, NOTE = r"\,{{\scriptsize$\pm$\,{}}}", r" {{\scriptsize({})}}"


@dataclass(frozen=True)
class Column:
    """A column as it is set. lines: of the heading, then of each row. width: in pt."""

    lines: list[list[str]]
    width: float
    number: bool


Row = Sequence[Sequence[str]]  # the lines of each cell
Piece = tuple[Sequence[Column], list[Row]]  # of a block, with its heading


def write(table: Sheet, available: float = COLUMN) -> str:
    """The table as one float or several; available: width in pt.

    Raises AtelierError where not even the labels fit.
    """
    size, blocks = _layout(table, available)
    room = MOST_LINES - 1.3 * width(table.caption) / available
    pieces = [piece for block in blocks for piece in _pieces(block, room)]
    floats = [
        _float(table, size, part, available, number)
        for number, part in enumerate(_packed(pieces, room))
    ]
    return "% needs \\usepackage{booktabs}\n" + "\n".join(floats)


# --- the layout


def _layout(table: Sheet, available: float) -> tuple[str, list[list[Column]]]:
    """The size of the type, and the columns of each block."""
    for size, scale in SIZES.items():
        columns = [_column(table, at, scale) for at in range(len(table.head))]
        if _total(columns) <= available:
            return size, [columns]
    labels, scores = columns[: table.labels], columns[table.labels :]
    if _total(labels) > (room := _room(labels, scores, available)):
        limits = _limits([column.width for column in labels], room - GAP * (len(labels) - 1))
        labels = [_column(table, at, scale, limit) for at, limit in enumerate(limits)]
    return size, [[*labels, *block] for block in _blocks(scores, available - _total(labels) - GAP)]


def _room(labels: Sequence[Column], scores: Sequence[Column], available: float) -> float:
    """Width of all labels together: what the scores leave if that is enough, else a share of the
    width, or, for many labels, all but one score.
    """
    if not scores:
        return available
    usual = max(LABELS * available, available - _total(scores) - GAP)
    least = sum(min(column.width, NARROWEST) for column in labels) + GAP * len(labels)
    return usual if least <= usual else available - GAP - max(column.width for column in scores)


def _total(columns: Sequence[Column]) -> float:
    return sum(column.width for column in columns) + GAP * max(0, len(columns) - 1)


def _limits(widths: Sequence[float], room: float) -> list[float | None]:
    """Widths of labels in the room that they have together: what is narrow stays as it is (None),
    and the others share the rest.
    """
    share, wide = room / len(widths), list(widths)
    for _ in widths:
        narrow = [width for width in widths if width <= share]
        wide = [width for width in widths if width > share]
        share = (room - sum(narrow)) / max(1, len(wide))
    if wide and share < NARROWEST:
        raise AtelierError(
            f"{len(widths)} columns of labels do not fit into {room:.0f} pt; give fewer with --by, "
            "or more room with --width"
        )
    return [share if width > share else None for width in widths]


def _blocks(columns: Sequence[Column], room: float) -> list[list[Column]]:
    """The columns in order, as many in each block as have room."""
    blocks: list[list[Column]] = [[]]
    for column in columns:
        if blocks[-1] and _total([*blocks[-1], column]) > room:
            blocks.append([])
        blocks[-1].append(column)
    return blocks


def _pieces(block: Sequence[Column], room: float) -> Iterator[Piece]:
    """The rows of a block below its heading, as many at a time as a page has room for."""
    head, *rows = zip(*(column.lines for column in block), strict=True)
    piece = [head]
    for row in rows:
        if len(piece) > 1 and _height((block, [*piece, row])) > room:
            yield block, piece
            piece = [head]
        piece.append(row)
    yield block, piece


def _height(piece: Piece) -> int:
    """Lines of a heading with its rows, and of the rules around them."""
    return sum(max(map(len, row)) for row in piece[1]) + RULES


def _packed(pieces: Sequence[Piece], room: float) -> list[list[Piece]]:
    """The pieces in order, as many on each page as have room."""
    pages: list[list[Piece]] = [[]]
    for piece in pieces:
        if pages[-1] and sum(map(_height, [*pages[-1], piece])) > room:
            pages.append([])
        pages[-1].append(piece)
    return pages


def _column(table: Sheet, at: int, scale: float, limit: float | None = None) -> Column:
    """A column in type of a size; limit: of its width in pt, within which texts are broken."""
    head, values = table.head[at], [row[at] for row in table.rows]
    widest = max((_width(value) for value in values), default=0.0) * scale
    if limit is None:
        cells = [[_set(value, head.number)] for value in values]
    else:
        broken = [_wrap(str(value).split(), limit / scale) for value in values]
        cells = [[escape(line) for line in lines] for lines in broken]
        widest = max((width(line) for lines in broken for line in lines), default=0.0) * scale
    titles = _heading(head, widest / scale if limit is None else limit / scale)
    widest = max(widest, *(width(line) * scale for line in titles))
    return Column([[escape(line) for line in titles], *cells], widest, head.number)


def _width(value: Value) -> float:
    """Width of a number with its spread at 10 pt."""
    small = f" ±{_signs(value.spread)}" if value.spread else ""
    small += f" ({value.note})" if value.note else ""
    # The spread has one size within both, so that it is relatively wider in the smaller.
    large = width(_signs(value.text)) * (BOLD if value.best else 1)
    return large + width(small) * SMALLER / SIZES["footnotesize"]


def _signs(text: str) -> str:
    """A number in signs as wide as those with which it is set: a minus, and a power of ten."""
    return re.sub(r"e[+-]?\d+$", " ·1000", re.sub(r"^-(?=\d)", "+", text))


def _heading(head: Heading, room: float) -> list[str]:
    """Lines of a heading that is hardly wider than its column, its arrow beside its last word."""
    *words, last = (head.title[:1].upper() + head.title[1:]).split() or [""]
    words.append(f"{last} {head.arrow}".strip())
    longest = max(map(width, words))
    lines = _wrap(words, max(room, min(longest, LONGEST)))
    return lines + (_wrap([head.network], max(room, LONGEST)) if head.network else [])


def _wrap(words: Sequence[str], room: float) -> list[str]:
    """The words in lines of a width at 10 pt; one that is wider is broken anywhere."""
    lines = [""]
    for word in words:
        if width(f"{lines[-1]} {word}") <= room:
            lines[-1] = f"{lines[-1]} {word}".strip()
        else:
            lines += [word] if lines[-1] else []
            lines[-1] = word
        while width(lines[-1]) > room and len(lines[-1]) > 1:
            fits = sum(width(lines[-1][:end]) <= room for end in range(1, len(lines[-1])))
            lines[-1:] = [lines[-1][: max(1, fits)], lines[-1][max(1, fits) :]]
    return lines


# --- the text


def _float(table: Sheet, size: str, pieces: Sequence[Piece], available: float, number: int) -> str:
    """One float; only the first one has the table's name, which only one label may have."""
    kind = "table*" if available > COLUMN * 1.5 else "table"
    caption = escape(table.caption) + (" (continued)" if number else "")
    name = re.sub(r"[^\w:.-]+", "-", table.name, flags=re.ASCII).strip("-")
    lines = [rf"\begin{{{kind}}}[t]", rf"\caption{{{caption}}}"]
    lines += [rf"\label{{tab:{name}}}"] if name and not number else []
    lines += [r"\centering", rf"\{size}", rf"\setlength{{\tabcolsep}}{{{GAP / 2:g}pt}}"]
    lines.append("\n\\par\\medskip\n".join(map(_tabular, pieces)))
    return "\n".join([*lines, rf"\end{{{kind}}}", ""])


def _tabular(piece: Piece) -> str:
    columns, (head, *rows) = piece
    sides = "".join("r" if column.number else "l" for column in columns)
    return "\n".join(
        [
            rf"\begin{{tabular}}{{@{{}}{sides}@{{}}}}",
            r"\toprule",
            _line(head, sides, "b"),
            r"\midrule",
            *(_line(row, sides, "t") for row in rows),
            r"\bottomrule",
            r"\end{tabular}",
        ]
    )


def _line(row: Row, sides: str, place: str) -> str:
    cells = (_stack(lines, side, place) for lines, side in zip(row, sides, strict=True))
    return " & ".join(cells) + r" \\"


def _stack(lines: Sequence[str], side: str, place: str) -> str:
    """Lines above each other in one cell, of which the first (t) or last (b) is in the row."""
    if len(lines) == 1:
        return lines[0]
    inner = r" \\ ".join(lines)
    return rf"\begin{{tabular}}[{place}]{{@{{}}{side}@{{}}}}{inner}\end{{tabular}}"


def _set(value: Value, number: bool) -> str:
    """A cell: the mean, in bold where it is the best, with its spread in small type."""
    text = _number(value.text) if number else escape(value.text)
    text = rf"\textbf{{{text}}}" if value.best else text
    text += SPREAD.format(_number(value.spread)) if value.spread else ""
    return text + (NOTE.format(escape(value.note)) if value.note else "")


def _number(text: str) -> str:
    """A number with a true minus, and with a power of ten in place of "e-07"."""
    digits, exponent, power = text.partition("e")
    if exponent and power.lstrip("+-").isdecimal():
        return _number(digits) + rf"\,$\cdot$\,$10^{{{int(power)}}}$"
    return re.sub(r"^-(?=\d)", "$-$", escape(text))
