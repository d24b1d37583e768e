"""The one format of numbers in tables, whatever they are written in."""

from __future__ import annotations

import math
from typing import Any

from evaluation.tables.groups import Cell

MISSING = "-"


def number(value: float | None) -> str:
    """A number with four significant digits, "-" for None."""
    return MISSING if value is None else f"{value:.4g}"


def deviation(cell: Cell) -> str:
    """The standard deviation with two significant digits, "" if there is none."""
    return "" if cell.sd is None else f"{cell.sd:.2g}"


def spread(cell: Cell) -> str:
    """ "± 0.012", "" if there is no deviation."""
    return f"± {deviation(cell)}" if cell.sd is not None else ""


def plus_minus(mean: str, deviation: str) -> str:
    """ "0.251 ± 0.012", or the mean alone."""
    return f"{mean} ± {deviation}" if deviation else mean


def mean_and_spread(cell: Cell) -> str:
    """ "0.251 ± 0.012", "0.251" for a single value, "-" for none."""
    return plus_minus(number(cell.mean), deviation(cell))


def count(cell: Cell, runs: int) -> str:
    """ "n=3" where fewer than all runs have a value, else ""."""
    return f"n={cell.n}" if 0 < cell.n < runs else ""


def label(value: Any) -> str:
    """A label as text, exactly; "-" if there is none."""
    if value is None:
        return MISSING
    return str(value).lower() if isinstance(value, bool) else str(value)


def rounded(value: float | None) -> float | None:
    """Five significant digits, for drawing; None for what is no finite number."""
    return None if value is None or not math.isfinite(value) else float(f"{value:.5g}")


def duration(seconds: float) -> str:
    """Seconds in words: "41 s", "12 min", "3 h 05 min"."""
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d} min"
