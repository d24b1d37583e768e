"""Tables of the report."""

import html

import pytest

from evaluation.report import page_model, plots, published, tables
from evaluation.tables.groups import grouped
from evaluation.tables.results import ResultTable
from evaluation.tables.rounded import sheet
from tests.support.reports import EVIL, JUDGE, entry


def test_the_page_and_the_latex_table_mark_the_same_cells():
    # Leakage: Soulstyler leads in every pair. Background PSNR: the best differ by chance alone.
    # DISTS: a single one has a number, and nothing to be better than.
    rows = {
        "CLIPstyler": [{"leakage": 0.3, "background_psnr": psnr} for psnr in (40.0, 20.0, 31.0)],
        "SemCS": [{"leakage": 0.4, "background_psnr": 20.0, "dists": 0.2} for _ in range(3)],
        "Soulstyler": [{"leakage": 0.1, "background_psnr": psnr} for psnr in (20.0, 40.0, 30.0)],
    }
    scores = ["leakage", "background_psnr", "dists"]
    entries = [
        entry(f"{method}{seed}", method, metrics, labels={"seed": seed})
        for method, several in rows.items()
        for seed, metrics in enumerate(several)
    ]
    groups = grouped([entry.run for entry in entries], ["method"])
    parts = sheet(ResultTable(["method"], scores, groups))
    in_latex = {
        (row[0].text, score)
        for row in parts.rows
        for score, value in zip(scores, row[2:], strict=True)
        if value.best
    }
    html_rows = tables.methods_part(entries, published.read_methods()).split("<tr")[1:]
    heads = [cell.split("</th>")[0] for cell in html_rows[0].split("<th")[1:]]
    keys = [head.partition("<code>")[2].partition("<")[0] for head in heads]
    columns = {score: keys.index(score) for score in scores}
    in_html = {
        (method, score)
        for row in html_rows
        for method in rows
        if f'data-group="{method}"' in row
        for score, place in columns.items()
        if "<b>" in row.split("<td>")[place]
    }
    assert in_html == in_latex == {("Soulstyler", "leakage")}


def test_failures_and_notes_are_escaped():
    bad = entry(failure=EVIL, command=EVIL, labels={"style": EVIL})
    parts = tables.failures_part([bad])
    parts += tables.overview_part(page_model.overview([bad, entry(unavailable={EVIL: EVIL})]))
    assert "<img" not in parts
    assert html.escape(EVIL, quote=True) in parts


@pytest.mark.parametrize(
    ("labels", "heading", "line"),
    [
        (["model.tau"], "Thresholds", True),
        (["model.optimizer.lr"], "Scores over learning rate", False),
        (["model.tau", "size"], "Scores over threshold t, size", True),
        (["my_threshold"], "Thresholds", False),
        ([], "Curves", False),
    ],
)
def test_curves_are_titled_by_what_varies(labels, heading, line):
    entries = [entry(labels=dict.fromkeys(labels, k), metrics={JUDGE: k}) for k in (0.5, 1.5)]
    curves = plots.curves(entries, plots.looks_of(["Soulstyler"]))
    assert tables.curves_title(curves) == heading
    assert ("0.7" in tables.curves_part(entries, curves)) is line
    lines = [c["label"] for c in curves for p in c["panels"] if p["figure"]["layout"].get("shapes")]
    assert lines == (["model.tau"] if line else [])
