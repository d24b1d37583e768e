"""The table of scores."""

import io
import re

from evaluation.metrics.scores import Score
from evaluation.tables.scores import score_table


def test_a_table_shows_directions_spread_and_gaps():
    meanings = {"a": Score(True, 0, 1, "-"), "b": Score(False, 0, 1, "-", "dB", "a note")}
    cases = {f"run {k}": {"a": k / 10, "b": None} for k in range(6)}
    from rich.console import Console

    console = Console(width=100, record=True, file=io.StringIO())
    console.print(score_table(cases, meanings))
    text = console.export_text()
    assert re.search(r"a ↑\s+0.25\s+0.1871\s+6", text)
    assert re.search(r"b ↓\s+-\s+-\s+0\s+dB, a note", text)
    console.print(score_table({"one": {"a": 0.5, "b": None}}, meanings))
    assert re.search(r"b ↓\s+-\s+dB", console.export_text())
