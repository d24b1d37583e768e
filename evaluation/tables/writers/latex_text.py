"""Texts as LaTeX sets them without any package, and their widths."""

from __future__ import annotations

import unicodedata
from itertools import pairwise

SIGNS = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    "±": r"$\pm$",
    "\N{MULTIPLICATION SIGN}": r"$\times$",
    "·": r"$\cdot$",
    "→": r"$\to$",
    "↑": r"$\uparrow$",
    "↓": r"$\downarrow$",
    "τ": r"$\tau$",
    "λ": r"$\lambda$",
    "µ": r"$\mu$",
    "°": r"$^\circ$",
    "\N{EN DASH}": "--",
    "\N{EM DASH}": "---",
    "…": r"\dots{}",
    "\N{LEFT SINGLE QUOTATION MARK}": "`",
    "\N{RIGHT SINGLE QUOTATION MARK}": "'",
    "“": "``",
    "”": "''",
    '"': "''",
    "ß": r"\ss{}",
    "æ": r"\ae{}",
    "Æ": r"\AE{}",
    "œ": r"\oe{}",
    "Œ": r"\OE{}",
    "ø": r"\o{}",
    "Ø": r"\O{}",
    "ł": r"\l{}",
    "Ł": r"\L{}",
    "\N{LATIN SMALL LETTER DOTLESS I}": r"\i{}",
    # A line of a table that begins with these would be read as an option of the line before.
    **{sign: f"{{{sign}}}" for sign in "[]*"},
    **{sign: f"\\{sign}" for sign in "&%$#_{}"},
}
ACCENTS = {
    "COMBINING GRAVE ACCENT": r"\`",
    "COMBINING ACUTE ACCENT": r"\'",
    "COMBINING CIRCUMFLEX ACCENT": r"\^",
    "COMBINING TILDE": r"\~",
    "COMBINING DIAERESIS": r"\"",
    "COMBINING RING ABOVE": r"\r",
    "COMBINING MACRON": r"\=",
    "COMBINING DOT ABOVE": r"\.",
    "COMBINING BREVE": r"\u",
    "COMBINING CARON": r"\v",
    "COMBINING DOUBLE ACUTE ACCENT": r"\H",
    "COMBINING CEDILLA": r"\c",
}
# Widths of Computer Modern's roman at 10 pt, in hundredths of a point; Times is narrower.
_SIGNS_BY_WIDTH = {
    278: ".,:;'`!il[]|",
    306: "fj",
    334: " -",
    361: "I_",
    394: "()trs",
    472: "cez?",
    500: "0123456789ago/$*",
    528: "Jkvxy",
    556: "bdhnpquS",
    625: "ZL",
    681: "FPE",
    736: "BCTwR",
    785: "AHNUVXYDGOQK&+=@<>",
    833: "m#%",
}
WIDTHS = {sign: width for width, signs in _SIGNS_BY_WIDTH.items() for sign in signs}
WIDEST = 1030  # of all other signs, such as M and W
BOLD = 1.15  # width of bold digits beside plain ones


def escape(text: str) -> str:
    """Text that LaTeX sets as it is; a sign of another script, which its fonts lack, by its code:
    "U+706B".
    """
    pairs = pairwise(text + " ")
    return "".join(_sign(one) + ("{}" if one == after == "-" else "") for one, after in pairs)


def _sign(sign: str) -> str:
    if sign in SIGNS or (sign.isascii() and sign.isprintable()):
        return SIGNS.get(sign, sign)
    base, *marks = unicodedata.normalize("NFD", sign)
    accents = [ACCENTS.get(unicodedata.name(mark, "")) for mark in marks]
    if len(accents) == 1 and accents[0] and base.isascii():
        return f"{accents[0]}{{{base}}}"
    return f"U+{ord(sign):04X}"


def width(text: str) -> float:
    """Width in pt of a text at 10 pt, rather more than less."""
    return sum(map(_width, text)) / 100


def _width(sign: str) -> int:
    if sign.isascii():
        return WIDTHS.get(sign, WIDEST)
    base = unicodedata.normalize("NFD", sign)[0]
    code = _sign(sign)
    return 500 * len(code) if code.startswith("U+") else WIDTHS.get(base, WIDEST)
