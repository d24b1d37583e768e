"""Tables of a study's result: per question for people, all in one for machines."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields

from evaluation.study.ratings import Row
from evaluation.study.study import StudyResult
from evaluation.study.votes import QUESTIONS
from evaluation.tables.numbers import MISSING
from evaluation.tables.sheet import Flat, Heading, Sheet, Value

COLUMNS = ("wins", "ties", "losses", "share", "95% interval", "of all", "score", "against average")
TYPES = {"str": "VARCHAR", "int": "BIGINT"}  # DuckDB's, of a row's fields; the others are DOUBLE


def sheets(result: StudyResult, caption: str = "", name: str = "study") -> Iterator[Sheet]:
    """One table per question, one row per system. caption: after the question, for papers."""
    head = [Heading("system", "system", number=False), *(Heading(name, name) for name in COLUMNS)]
    about = caption or " ".join(footnote(result).split())
    for question, rows in result.questions.items():
        title = f"{QUESTIONS[question]} {about}"
        cells = [list(map(Value, _cells(row))) for row in rows]
        yield Sheet(head, cells, 1, title, f"{name}-{question}")


def flat(result: StudyResult) -> Flat:
    """The exact numbers of all questions."""
    columns = {entry.name: TYPES.get(str(entry.type), "DOUBLE") for entry in fields(Row)}
    rows = [
        [question, *(getattr(row, name) for name in columns)]
        for question, several in result.questions.items()
        for row in several
    ]
    return Flat({"question": "VARCHAR"} | columns, rows)


def footnote(result: StudyResult) -> str:
    """Numbers of votes and raters, and the meanings of the columns."""
    intervals = sorted({row.interval for rows in result.questions.values() for row in rows} - {""})
    raters = "1 rater" if result.raters == 1 else f"{result.raters} raters"
    return (
        f"{result.votes} votes of {raters}. A tie counts half for each; share is of the system's "
        "own comparisons,\n50% is the average. Score: Bradley-Terry, logarithm, 0 the average.\n"
        f"95% intervals: {', '.join(intervals)}."
    )


def _cells(row: Row) -> list[str]:
    share, interval = MISSING, MISSING
    if row.share is not None:
        share, interval = f"{row.share:.1%}", f"{row.low:.1%} to {row.high:.1%}"
    counts = (str(count) for count in (row.wins, row.ties, row.losses))
    score = round(row.score, 2) + 0.0  # no -0.00
    numbers = (f"{row.of_all:.1%}", f"{score:+.2f}", f"{row.against_average:.0%}")
    return [row.system, *counts, share, interval, *numbers]
