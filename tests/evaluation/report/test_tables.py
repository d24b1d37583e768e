"""Tables of the report."""

import html

from evaluation.report import page_model, published, tables
from evaluation.tables.groups import grouped
from evaluation.tables.results import ResultTable
from evaluation.tables.writers import latex
from tests.support.reports import EVIL, entry


def test_the_page_and_the_latex_table_mark_the_same_cells():
    # Background PSNR: the best tie. Leakage: one is best. DISTS: a single one has a number, and
    # nothing to be better than.
    rows = {
        "CLIPstyler": {"leakage": 0.1, "background_psnr": 40.0, "dists": None},
        "SemCS": {"leakage": 0.3, "background_psnr": 20.0, "dists": 0.2},
        "Soulstyler": {"leakage": 0.2, "background_psnr": 40.0, "dists": None},
    }
    scores = ["leakage", "background_psnr", "dists"]
    entries = [entry(method, method, metrics) for method, metrics in rows.items()]
    groups = grouped([entry.run for entry in entries], ["method"])
    written = latex.write(ResultTable(["method"], scores, groups))
    in_latex = {
        (line.split(" & ")[0], score)
        for line in written.splitlines()[5:-2]
        for score, cell in zip(scores, line.split(" & ")[2:], strict=True)
        if "textbf" in cell
    }
    html_rows = tables.methods_part(entries, published.read_methods()).split("<tr")[1:]
    heads = [cell.split("</th>")[0] for cell in html_rows[0].split("<th")[1:]]
    columns = {score: _column(heads, page_model.MAIN[score]) for score in scores}
    in_html = {
        (method, score)
        for row in html_rows
        for method in rows
        if f'data-group="{method}"' in row
        for score, place in columns.items()
        if "<b>" in row.split("<td>")[place]
    }
    assert in_html == in_latex
    assert in_latex == {
        ("CLIPstyler", "leakage"),
        ("CLIPstyler", "background_psnr"),
        ("Soulstyler", "background_psnr"),
    }


def _column(heads, title):
    """Place of our column among the cells after the row's heading."""
    ours = [f">{title} <" in head and "published" not in head for head in heads]
    return ours.index(True)


def test_failures_and_notes_are_escaped():
    bad = entry(failure=EVIL, command=EVIL, labels={"style": EVIL})
    shown = tables.failures_part([bad])
    shown += tables.overview_part(page_model.overview([bad, entry(unavailable={EVIL: EVIL})]), {})
    assert "<img" not in shown
    assert html.escape(EVIL, quote=True) in shown
