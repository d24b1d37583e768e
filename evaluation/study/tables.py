"""Tables of a study's result, for a terminal."""

from __future__ import annotations

from rich import box
from rich.table import Table

from evaluation.study.ratings import Row
from evaluation.study.study import StudyResult
from evaluation.study.votes import QUESTIONS
from evaluation.tables.numbers import MISSING

COLUMNS = ("wins", "ties", "losses", "share", "95% interval", "of all", "score", "against average")


def question_tables(result: StudyResult) -> list[Table]:
    """One table per question, one row per system."""
    tables = []
    for question, rows in result.questions.items():
        table = Table(title=QUESTIONS[question], title_justify="left", box=box.SIMPLE)
        table.add_column("system")
        for name in COLUMNS:
            table.add_column(name, justify="right", no_wrap=True)
        for row in rows:
            table.add_row(*_cells(row))
        tables.append(table)
    return tables


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
