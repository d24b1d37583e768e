"""The table of metrics: direction, range and source of every score."""

from __future__ import annotations

from rich import box
from rich.table import Table

from evaluation.metrics.scores import OWN
from evaluation.suite import Suite
from evaluation.tables.meanings import ARROWS


def metric_table(suite: Suite) -> Table:
    """One row per score of the suite's metrics."""
    table = Table(box=box.SIMPLE, pad_edge=False)
    for column in ("metric", "score", "", "range", "what it is"):
        table.add_column(column, no_wrap=column in ("metric", "score"))
    for name, metric in suite.metrics.items():
        meanings = {k: score for k, score in metric.scores.items() if not k.startswith(OWN)}
        for number, (key, score) in enumerate(meanings.items()):
            span = f"{score.low:g} to {score.high:g} {score.unit}"
            source = f"{score.source}{score.note and f' ({score.note})'}"
            arrow = ARROWS[score.higher_is_better]
            table.add_row("" if number else name, metric.column(key), arrow, span, source)
    for name, reason in suite.unavailable.items():
        table.add_row(name, "-", "", "", f"unavailable: {reason}")
    table.add_row(f"{OWN}...", "", "", "", "a style score by the encoder that was optimised itself")
    return table
