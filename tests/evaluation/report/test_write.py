"""The folder of a report."""

import json

import pytest

from datamodules.campaign_folder import write_plan
from evaluation.report.write import MARK, as_script, write_report
from experiments.cli import main
from tests.support.reports import EVIL


def test_scripts_hold_any_text():
    script = as_script({"style": EVIL + "\u2028"})
    assert not set("<>&\u2028") & set(script)
    assert json.loads(script) == {"style": EVIL + "\u2028"}


def contents(folder):
    return {p.relative_to(folder): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_the_same_runs_give_the_same_report(report_runs, tmp_path, capsys):
    assert main(["report", str(report_runs), "-o", str(tmp_path / "a"), "--title", EVIL]) == 0
    assert capsys.readouterr().out == f"{tmp_path / 'a' / 'index.html'}\n"
    first = contents(tmp_path / "a")
    assert main(["report", str(report_runs), "-o", str(tmp_path / "a"), "--title", EVIL]) == 0
    assert contents(tmp_path / "a") == first
    text = (tmp_path / "a" / "index.html").read_text()
    assert "<img src=x" not in text
    assert len(list((tmp_path / "a" / "runs").iterdir())) == 11
    # One photo and one mask; eleven results, which are small enough to be seen whole on a card,
    # but are kept better than a thumbnail.
    assert len(list((tmp_path / "a" / "pictures").iterdir())) == 2 + 2 * 11
    assert [p.name for p in tmp_path.iterdir() if p.name.startswith(".")] == []


def test_a_broken_picture_is_a_failed_run(report_runs, tmp_path):
    next(report_runs.rglob("output.png")).write_bytes(b"no picture")
    text = write_report(report_runs, tmp_path / "r").read_text()
    assert "<dd>10</dd>" in text
    assert "<dd>2</dd>" in text


def test_an_unfinished_campaign_says_how_far_it_is_under_its_own_title(report_runs, tmp_path):
    deep = report_runs / "deep"
    runs = [f"{number:016x}" for number in range(20)]
    (deep / "runs").mkdir()
    for run in list(deep.glob("0*")):
        run.rename(deep / "runs" / run.name)
    write_plan(deep, (("demo", run) for run in runs), "Boats that <burn>")
    text = write_report(report_runs, tmp_path / "r").read_text()
    assert "<h1>Boats that &lt;burn&gt;</h1>" in text
    assert "<dd>11 of 20</dd>" in text  # and one has failed
    assert "8 of 20 runs are not made yet" in text
    assert "<h1>Mine</h1>" in write_report(report_runs, tmp_path / "r", "Mine").read_text()
    one = write_report(deep / "runs" / runs[0], tmp_path / "one").read_text()
    assert "<dd>1</dd>" in one
    write_plan(deep, [("demo", run) for run in runs[:12]], "Boats")
    text = write_report(report_runs, tmp_path / "r").read_text()
    assert "<dd>11</dd>" in text
    assert "not made yet" not in text


def test_a_single_run_and_runs_that_all_failed_have_a_report(report_runs, tmp_path):
    one = next(report_runs.rglob("output.png")).parent
    assert "<dd>1</dd>" in write_report(one, tmp_path / "one").read_text()
    bare = tmp_path / "bare" / "a"
    bare.mkdir(parents=True)
    (bare / "failure.json").write_text('{"reason": "the lamp went out"}')
    text = write_report(bare.parent, tmp_path / "bare-report").read_text()
    assert "the lamp went out" in text
    assert "No setting with numbers differs" in text


def test_what_is_no_report_stays(report_runs, tmp_path, capsys):
    other = tmp_path / "other"
    other.mkdir()
    (other / "thesis.txt").write_text("years of work")
    assert main(["report", str(report_runs), "-o", str(other)]) == 2
    talk = capsys.readouterr().err
    assert "is no report" in talk
    assert talk.count("\n") == 1
    (report_runs / MARK).touch()
    assert main(["report", str(report_runs / "deep"), "-o", str(report_runs)]) == 2
    assert len(list(report_runs.rglob("result.json"))) == 11


def test_a_report_that_fails_leaves_the_earlier_one(report_runs, tmp_path, monkeypatch):
    write_report(report_runs, tmp_path / "r")
    before = contents(tmp_path / "r")
    monkeypatch.setattr("evaluation.report.write.page", lambda *parts: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        write_report(report_runs, tmp_path / "r")
    assert contents(tmp_path / "r") == before
    assert sorted(p.name for p in tmp_path.iterdir()) == ["r", "runs"]
