"""The commands after `stylize` and `sweep`, on runs that those have really made."""

import csv
import io
import json
import shutil

import pytest
from PIL import Image, ImageOps

from tests.support.finished import GRID, OPTIONS


def test_evaluate_finds_the_scores_that_the_run_itself_has_found(cli, finished_run, tmp_path):
    shutil.copytree(finished_run.folder, tmp_path / "run")
    before = json.loads((tmp_path / "run" / "result.json").read_text())
    result = cli("evaluate", "run", "--metrics", "background,change", "--force", "--json")
    assert result.returncode == 0, result.stderr
    (row,) = json.loads(result.stdout)
    names = {"leakage", "object_change", "background_psnr"}
    assert names <= row["metrics"].keys() & before["metrics"].keys()
    for name in names:
        assert row["metrics"][name] == pytest.approx(before["metrics"][name], abs=1e-6), name


def test_a_sweep_that_is_done_is_not_made_again(cli, finished_sweep, sweep, tmp_path):
    folder, first = finished_sweep
    assert "4 done, 0 skipped, 0 failed" in first.stderr.splitlines()[-1]
    shutil.copytree(folder, tmp_path / "sweep")
    results = sorted((tmp_path / "sweep").rglob("result.json"))
    before = [path.stat().st_mtime_ns for path in results]
    again = cli("sweep", sweep(GRID), *OPTIONS)
    assert "0 done, 4 skipped, 0 failed" in again.stderr.splitlines()[-1]
    assert [path.stat().st_mtime_ns for path in results] == before


def test_results_groups_the_runs_of_a_sweep(cli, finished_sweep):
    words = ["--by", "model.tau", "--metrics", "leakage,object_change", "--format", "csv"]
    result = cli("results", finished_sweep.folder, *words)
    assert result.returncode == 0, result.stderr
    rows = list(csv.DictReader(io.StringIO(result.stdout)))
    assert [(row["model.tau"], row["n"]) for row in rows] == [("0.3", "2"), ("0.7", "2")]


def test_a_report_shows_the_runs_of_a_sweep(cli, finished_sweep, tmp_path):
    result = cli("report", finished_sweep.folder, "-o", tmp_path / "report")
    assert result.returncode == 0, result.stderr
    page = (tmp_path / "report" / "index.html").read_text(encoding="utf-8")
    assert "model.tau" in page
    assert len(list((tmp_path / "report" / "runs").iterdir())) == 4


def test_a_study_pairs_two_runs_of_one_task(cli, finished_sweep, tmp_path):
    one, same = sorted(path.parent for path in finished_sweep.folder.rglob("result.json"))[:2]
    result = cli("study", "make", f"ours={one}", f"theirs={same}", "--out", tmp_path / "study")
    assert result.returncode == 2
    assert "All pairs show nearly the same picture twice" in result.stderr
    other = shutil.copytree(same, tmp_path / "other")
    ImageOps.invert(Image.open(same / "output.png")).save(other / "output.png")
    result = cli("study", "make", f"ours={one}", f"theirs={other}", "--out", tmp_path / "study")
    assert result.returncode == 0, result.stderr
    key = json.loads((tmp_path / "study" / "study.json").read_text())
    assert {"ours", "theirs"} <= set(json.dumps(key).split('"'))
