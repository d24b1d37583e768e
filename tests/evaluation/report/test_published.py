"""Numbers that papers publish."""

import re

import pytest

from datamodules.support.errors import AtelierError
from evaluation.report import published, tables
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
    entries = [entry(method="SemCS", metrics={"dists": 0.31, JUDGE: 0.1})]
    shown = tables.methods_part(entries, published.read_methods())
    rows = [re.sub("<.*?>", "|", row) for row in shown.split("<tr")[2:]]
    assert any("SemCS" in row and "0.31" in row for row in rows)
    assert any("paper" in row and "double text" in row and "0.33" in row for row in rows)
    assert not any("VQGAN" in row for row in rows)
    assert shown.index("DISTS") < shown.index("s per run")


def test_parsers_stand_beside_the_papers_ten():
    ours = {"rows": [{"parser": "rules", "exact": 0.951}, {"parser": "x", "error": "no <b>"}]}
    shown = tables.parsers_part(ours, published.read_parsers())
    assert "0.95" in shown
    assert "no &lt;b&gt;" in shown
    assert shown.count('class="paper"') == 10
    assert "evaluate-parsers" in tables.parsers_part(None, published.read_parsers())
