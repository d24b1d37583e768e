"""LaTeX of tables, as pdflatex sets it in a paper of two columns."""

import itertools
import random
import re
import shutil
import subprocess

import pytest

from datamodules.support.errors import AtelierError
from evaluation.metrics.scores import ALL
from evaluation.tables import rounded
from evaluation.tables.groups import grouped
from evaluation.tables.results import ResultTable
from evaluation.tables.sheet import Heading, Sheet, Value
from evaluation.tables.writers import latex
from tests.support.reports import run

NASTY = '100% "fire" & \\it{x}_$1 #{2} <b> ~^| -- [3] *a* Brûlé Łódź \N{BLACK HEART SUIT} 火'
PAPER = r"""\documentclass[10pt,%s]{article}
\usepackage{booktabs}
\setlength{\textwidth}{%gpt}\setlength{\columnsep}{19pt}\setlength{\textheight}{650pt}
\begin{document}
%s
\end{document}
"""


@pytest.fixture
def pages(tmp_path):
    """A function that sets a table in a paper, and returns what pdflatex complains of."""
    if not shutil.which("pdflatex"):
        pytest.skip("pdflatex is not installed")

    def compiled(written, width=latex.COLUMN):
        two = width in (latex.COLUMN, latex.PAGE)
        form = ("twocolumn", latex.PAGE) if two else ("onecolumn", width)
        (tmp_path / "paper.tex").write_text(PAPER % (*form, written), encoding="utf-8")
        command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "paper.tex"]
        result = subprocess.run(command, cwd=tmp_path, capture_output=True, check=False)
        log = (tmp_path / "paper.log").read_text(encoding="latin-1")
        assert result.returncode == 0, log[-3000:]
        return re.findall(r"(?:Overfull|Float too large|Missing character|undefined).*", log)

    return compiled


def results(by, scores, count=2, size=1.0, **labels):
    """A table of runs of several methods on several pictures, with numbers of every size."""
    chance = random.Random(0)
    runs = [
        run(
            f"{method}{k}{picture}",
            method,
            {score: chance.gauss(-size, size) for score in scores},
            labels={"method": method, "picture": picture, "seed": k} | labels,
        )
        for method in ("sem_cs", "generative_artisan", "soulstyler")
        for picture in ("lagoon", "chimney")
        for k in range(count)
    ]
    return rounded.with_method_titles(
        rounded.sheet(ResultTable(list(by), list(scores), grouped(runs, by)), name="bench demo")
    )


USUAL = ("style_patch.bridge-lite2", "style_direction.bridge-lite2", "leakage", "background_psnr")


@pytest.mark.parametrize("width", [latex.COLUMN, latex.PAGE, 347.0])
def test_the_usual_table_fits(pages, width):
    assert pages(latex.write(results(["method"], USUAL), width), width) == []


@pytest.mark.parametrize("width", [latex.COLUMN, latex.PAGE])
@pytest.mark.parametrize("size", [1e-9, 1e6])
def test_every_score_there_is_fits_in_blocks(pages, width, size):
    table = results(["method", "picture"], [*ALL, "of_somebody_else's_metric"], 2, size)
    assert pages(latex.write(table, width), width) == []


@pytest.mark.parametrize(("by", "width"), itertools.product((1, 3, 5), (234.0, 347.0)))
def test_every_number_of_labels_fits(pages, by, width):
    names = ["method", "picture", "seed", "model.optimizer.lr", "instruction"][:by]
    labels = {"model.optimizer.lr": 0.0005, "instruction": "Turn the old boat to a mosaic"}
    assert pages(latex.write(results(names, USUAL, **labels), width), width) == []


def test_any_text_is_set_as_it_is(pages):
    words = {"style": NASTY, NASTY: "x" * 90, "prompt": "Turn the boat to fire and leave it. " * 4}
    table = results(["style", "prompt", NASTY], ["leakage", NASTY], **words)
    written = latex.write(table)
    assert pages(written) == []
    assert r"\%" in written
    assert r"Br\^{u}l\'{e}" in written.replace(r" \\ ", "")
    assert "U+706B" in written.replace(r" \\ ", "")


def test_headings_are_words_with_arrows_units_and_one_label(pages):
    written = latex.write(results(["method"], [*USUAL, "seconds", "mask_agreement"]))
    plain = re.sub(r"\\(begin|end){tabular}(\[b\])?({@{}\w@{}})?| \\\\ *(?=\w|\()", " ", written)
    heads = re.sub(r" +", " ", plain)
    for head in ("Style of patches", "Background PSNR (dB)", "Time (s)", "Mask agreement"):
        assert re.search(rf"{re.escape(head)} \$\\(up|down)arrow\$", heads), heads
    assert "Sem-CS" in written
    assert "style_patch" not in written
    assert "By bridge-lite2: style of patches, style direction." in written
    assert written.count(r"\label{tab:bench-demo}") == 1
    assert r"\toprule" in written


def test_scores_of_two_judges_are_told_apart():
    table = results(["method"], ["style_patch.a", "style_patch.b", "leakage"])
    assert [head.network for head in table.head[2:]] == ["a", "b", ""]
    assert r"\\ b\end" in latex.write(table)


def test_bold_means_spreads_powers_and_true_minus_signs():
    row = [Value("sem_cs"), Value("-1.2e-07", "3.0e-08", best=True), Value("-0.5", note="n=2")]
    head = [Heading("method", "method", number=False), Heading("a", "a"), Heading("b", "b")]
    line = latex.write(Sheet(head, [row])).splitlines()[-4]
    mean = r"\textbf{$-$1.2\,$\cdot$\,$10^{-7}$}"
    spread = r"\,{\scriptsize$\pm$\,3.0\,$\cdot$\,$10^{-8}$}"
    assert line == rf"sem\_cs & {mean}{spread} & $-$0.5 {{\scriptsize(n=2)}} \\"


def test_more_labels_than_fit_are_refused():
    names = [f"a label of many words {k}" for k in range(12)]
    table = results(names, ["leakage"], **dict.fromkeys(names, "some value of many words"))
    with pytest.raises(AtelierError, match="12 columns of labels do not fit"):
        latex.write(table)
