"""The report's part about a search: its best trials, or its Pareto front."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import quote

from evaluation.report.markup import row, table, tag, text
from evaluation.report.page_model import words
from evaluation.tables.meanings import ARROWS
from evaluation.tables.numbers import number
from evaluation.tables.search import SearchRecord, Trial

MOST = 10  # trials of a search with one goal


def search_part(record: SearchRecord | None) -> str:
    """A section with the trials that count, each with a link to its pictures; "" without any."""
    if not record or not record.done:
        return ""
    several = len(record.goals) > 1
    ranked = sorted(record.done, key=lambda trial: trial.values[0], reverse=record.higher[0])
    trials, caption = (
        (record.best(), "The Pareto front: no other trial is at least as good in everything")
        if several
        else (ranked[:MOST], "The best trials")
    )
    inner = tag("h2", "Search", id="search-title") + tag("p", text(f"{record.so_far()}."))
    inner += _table(record, trials, caption) + tag("p", text(f"{caption}."), class_="fine")
    return tag("section", inner, id="searched", aria_labelledby="search-title")


def _table(record: SearchRecord, trials: Sequence[Trial], caption: str) -> str:
    settings = list(trials[0].settings)
    goals = zip(record.goals, record.higher, strict=True)
    headings = [text(f"{name} {ARROWS[higher]}") for name, higher in goals]
    rows = [
        row(
            _link(trial),
            [
                *map(text, map(number, trial.values)),
                *(text(words(trial.settings[n])) for n in settings),
            ],
        )
        for trial in trials
    ]
    return table(["trial", *headings, *map(text, settings)], rows, caption)


def _link(trial: Trial) -> str:
    """The trial's number, as a link to the picture of its first run."""
    return tag(
        "a", str(trial.number), href=f"#gallery?run={quote(f'runs/{trial.runs[0]}', safe='')}"
    )
