"""The one format of numbers in tables, whatever they are written in."""

from __future__ import annotations

import math
from typing import Any

from evaluation.tables.groups import Cell

MISSING = "-"
SMALLEST = 6  # decimal places; numbers with more are written with an exponent


def number(value: float | None) -> str:
    """A number with four significant digits, "-" for None."""
    return MISSING if value is None else f"{value:.4g}"


def mean(cell: Cell) -> str:
    """The mean, to the second significant digit of its deviation; "-" if there is none."""
    return (
        _rounded(cell.mean, _place(cell))
        if cell.mean is not None and cell.sd
        else number(cell.mean)
    )


def deviation(cell: Cell) -> str:
    """The standard deviation with two significant digits, "" if there is none."""
    if not cell.sd:
        return "" if cell.sd is None else "0"
    return _rounded(cell.sd, _place(cell))


def _place(cell: Cell) -> int:
    """The decimal place of the deviation's second digit; more than six of the mean say nothing."""
    first, last = 1 - _exponent(cell.sd), 5 - _exponent(cell.mean)
    return min(first, last) if cell.mean else first


def _exponent(value: float) -> int:
    """The exponent of a number that is rounded to two digits: -2 for 0.0996, which is 0.10."""
    return int(f"{value:.1e}".partition("e")[2])


def _rounded(value: float, place: int) -> str:
    if place > SMALLEST:
        return f"{value:.1e}"
    return f"{round(value, place) + 0.0:.{max(place, 0)}f}"  # + 0.0: never "-0"


def spread(cell: Cell) -> str:
    """ "± 0.012", "" if there is no deviation."""
    return f"± {deviation(cell)}" if cell.sd is not None else ""


def plus_minus(mean: str, deviation: str) -> str:
    """ "0.251 ± 0.012", or the mean alone."""
    return f"{mean} ± {deviation}" if deviation else mean


def mean_and_spread(cell: Cell) -> str:
    """ "0.251 ± 0.012", "0.251" for a single value, "-" for none."""
    return plus_minus(mean(cell), deviation(cell))


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
