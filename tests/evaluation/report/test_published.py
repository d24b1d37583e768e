"""Numbers that papers publish."""

import re

import pytest

from datamodules.benchmarks.sets import list_sets
from datamodules.support.errors import AtelierError
from evaluation.report import page_model, published, tables
from tests.support.reports import JUDGE, entry


def test_published_numbers_stand_in_the_files():
    methods = published.read_methods()
    (paper, row), *_ = methods.of("CLIPstyler")
    assert (row.values["patch_clip"], row.values["user_content"]) == (0.2515, 4.18)
    assert "supplement" in paper.source
    double = {row.name: row.values for row in methods.tables[-1].rows}
    assert double["Sem-CS"] == {"dists": 0.33, "nima": 5.52, "user_share": 51.7}
    assert methods.columns["dists"].higher_is_better
    assert len(published.read_parsers()["rows"]) == 10


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("nima: 5.52", "nima: 55.2", "not 1 to 10"),
        ("nima: 5.52", "mood: 5.52", "no column"),
        ("nima: 5.52", "nima: good", r'tables\[4\].rows\[2\]: nima is "good"; give a number'),
        ("nima: 5.52", "nima: .nan", "nima is NaN; give a number"),
        ("source: Sem-CS", "origin: Sem-CS", r"tables\[3\]: there is no key 'origin', only source"),
        ("low: -1, high: 1,", "low: 1, high: 1,", "columns.patch_clip: .*give low < high"),
        ('{name: full, method: "", preference: 3.92}', '{name: full, method: ""}', "no numbers"),
        ("tables:", "tables: [", "line .*the table of published numbers cannot be read"),
    ],
)
def test_wrong_published_numbers_are_refused(tmp_path, old, new, why):
    text = published.METHODS.read_text().replace(old, new)
    (tmp_path / "methods.yaml").write_text(text)
    with pytest.raises(AtelierError, match=why):
        published.read_methods(tmp_path / "methods.yaml")


def test_published_rows_stand_beside_ours():
    metrics = {"dists": 0.31, JUDGE: 0.1}
    entries = [entry(method="SemCS", metrics=metrics, set="sem_cs_double")]
    html = tables.methods_part(entries, published.read_methods())
    rows = [re.sub("<.*?>", "|", row) for row in html.split("<tr")[2:]]
    assert any("SemCS" in row and "0.31" in row for row in rows)
    assert any("paper" in row and "double text" in row and "0.33" in row for row in rows)
    assert not any("single text" in row or "VQGAN" in row for row in rows)
    heads = re.findall('<th scope="col">(.*?)</th>', html)
    titles = [re.sub("<.*?>.*|&nbsp;", "", head).strip() for head in heads]
    # Ours come first, and then what only papers have.
    assert titles == ["method", "n", "style of patches", "DISTS", "NIMA", "user study", "time in s"]
    assert f"<code>{JUDGE}</code>" in heads[2]
    other = [entry(method="SemCS", metrics={"dists": 0.31})]
    assert "paper" not in tables.methods_part(other, published.read_methods())
    overview = page_model.overview(entries)
    assert "Not comparable" in tables.comparable_part(overview, published.read_methods())
    overview = page_model.overview(other)
    assert tables.comparable_part(overview, published.read_methods()) == ""


def test_sets_with_published_rows_are_benchmark_sets():
    papers = published.read_methods()
    assert {name for paper in papers.tables for name in paper.sets} <= set(list_sets())


def test_parsers_stand_beside_the_papers_ten():
    ours = {"rows": [{"parser": "rules", "exact": 0.951}, {"parser": "x", "error": "no <b>"}]}
    html = tables.parsers_part(ours, published.read_parsers())
    assert "0.95" in html
    assert "no &lt;b&gt;" in html
    assert html.count('class="paper"') == 10
    none = tables.parsers_part(None, published.read_parsers())
    assert "evaluate-parsers" in none
    assert "paper" not in none
