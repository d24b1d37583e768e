"""LaTeX for a paper, with the rules of the package booktabs."""

from __future__ import annotations

import re

from evaluation.tables.results import ResultTable
from evaluation.tables.writers.grid import GridCell, grid

_SIGNS = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    "±": r"$\pm$",
    "↑": r"$\uparrow$",
    "↓": r"$\downarrow$",
    **{sign: "\\" + sign for sign in "&%$#_{}"},
}


def write(table: ResultTable) -> str:
    """The table as a tabular, the best in bold."""
    head, rows = grid(table)
    lines = [
        r"% needs \usepackage{booktabs}",
        rf"\begin{{tabular}}{{{''.join('r' if cell.number else 'l' for cell in head)}}}",
        r"\toprule",
        _line([escape(cell.text) for cell in head]),
        r"\midrule",
        *(_line([_cell(cell) for cell in row]) for row in rows),
        r"\bottomrule",
        r"\end{tabular}",
    ]
    return "\n".join(lines) + "\n"


def _line(cells: list[str]) -> str:
    return " & ".join(cells) + r" \\"


def _cell(cell: GridCell) -> str:
    text = escape(cell.text)
    text = re.sub(r"^-(?=\d)", "$-$", text) if cell.number else text
    return rf"\textbf{{{text}}}" if cell.best else text


def escape(text: str) -> str:
    """Text that LaTeX sets as it is."""
    return "".join(_SIGNS.get(character, character) for character in text)
