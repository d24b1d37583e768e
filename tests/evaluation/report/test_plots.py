"""Curves and the trade-off."""

import pytest

from evaluation.report import plots
from evaluation.tables.groups import Cell
from tests.support.reports import JUDGE, entry


def test_a_curve_is_the_mean_at_every_threshold():
    rows = [(0.5, 0.1), (0.5, 0.3), (0.7, 0.4), (0.7, None)]
    entries = [entry(labels={"model.tau": t}, metrics={JUDGE: v}) for t, v in rows]
    line = plots.curve(entries, "model.tau", JUDGE)["Soulstyler"]
    assert [(x, line[x].mean, line[x].n) for x in line] == [(0.5, 0.2, 2), (0.7, 0.4, 1)]
    (curves,) = plots.curves(entries, plots.looks_of(["Soulstyler"]))
    figure = curves["panels"][0]["figure"]
    band, mean = figure["data"]
    assert mean["x"] == [0.5, 0.7]
    assert band["y"] == pytest.approx([0.2 + 0.02**0.5, 0.4, 0.4, 0.2 - 0.02**0.5], abs=1e-5)
    assert figure["layout"]["shapes"][0]["x0"] == 0.7
    assert "0.7" in figure["layout"]["annotations"][0]["text"]


def test_the_tradeoff_shows_what_is_kept():
    entries = [
        entry(metrics={JUDGE: 0.2, "leakage": 0.25}),
        entry(metrics={JUDGE: 0.3, "leakage": None}),
        entry(failure="broken", metrics={JUDGE: 0.3, "leakage": 0.1}),
        entry("b", "SemCS", metrics={JUDGE: 0.4, "leakage": 0.5}),
        entry("c", "SemCS", metrics={JUDGE: 0.1, "leakage": 0.6}),
    ]
    (one,) = plots.tradeoffs(entries, plots.looks_of(["SemCS", "Soulstyler"]))
    front, *points = one["figure"]["data"]
    drawn = [(t["x"], t["y"], t["customdata"]) for t in points]
    assert drawn == [([0.5, 0.6], [0.4, 0.1], [2, 3]), ([0.25], [0.2], [0])]
    assert (front["name"], front["x"], front["y"]) == (plots.FRONT, [0.25, 0.5], [0.2, 0.4])
    assert one["figure"]["layout"]["xaxis"]["autorange"] == "reversed"  # less leakage to the right
    assert "autorange" not in one["figure"]["layout"]["yaxis"]
    assert (one["shown"], one["missing"]) == (3, 1)


def test_a_users_metric_is_an_axis_of_the_tradeoff():
    entries = [entry(metrics={JUDGE: k, "leakage": 1 - k, "glow": k}) for k in (0.2, 0.4)]
    axes = plots.tradeoffs(entries, plots.looks_of(["Soulstyler"]))
    judge = "style of patches · bridge-lite2"
    pairs = [(one["x"], one["y"]) for one in axes]
    assert pairs == [("leakage", judge), ("glow", judge), ("leakage", "glow")]
    # Nobody knows which way it is better.
    assert plots.FRONT not in [trace["name"] for trace in axes[1]["figure"]["data"]]


def test_plots_show_names_as_they_are():
    looks = plots.looks_of(["<b>x</b>"])
    lines = {"<b>x</b>": {0.5: Cell(1, None, 1), 0.7: Cell(2, None, 1)}}
    assert plots.curve_figure(lines, "a<i>", looks)["data"][0]["name"] == "&lt;b&gt;x&lt;/b&gt;"
