"""`atelier evaluate`."""

import json
import re
from pathlib import Path

import pytest

from tests.support.cli import assert_refused
from tests.support.noise_runs import result_of, run_folder


def test_loose_files_are_scored_on_stdout(cli, tmp_path):
    folder = run_folder(tmp_path / "a")
    files = [f"--{name}={folder / name}.png" for name in ("content", "output", "mask")]
    result = cli("evaluate", *files, "--style=fire", "--metrics=background,dists", "--json")
    assert result.returncode == 0, result.stderr
    (row,) = json.loads(result.stdout)
    assert row["metrics"]["leakage"] == 0
    assert row["metrics"]["dists"] is None
    assert "torchvision:vgg16" in row["unavailable"]["dists"]
    assert result_of(folder)["metrics"] == {}  # loose files have no result.json
    table = cli("evaluate", *files, "--metrics=background,dists")
    assert re.search(r"background_psnr ↑ +100 +dB", table.stdout)
    assert re.search(r"dists +-", table.stdout)
    assert table.stderr.count("dists: unavailable: ") == 1


def test_bad_input_is_a_line_each_and_exit_code_2(cli, tmp_path):
    run_folder(tmp_path / "runs/good")
    run_folder(tmp_path / "runs/full", mask="full")
    (run_folder(tmp_path / "runs/broken") / "content.png").unlink()
    result = cli("evaluate", "runs", "--metrics=background", "--json")
    assert result.returncode == 2
    rows = {Path(row["name"]).name: row for row in json.loads(result.stdout)}
    assert rows["good"]["metrics"]["background_psnr"] == 100
    assert "is full" in rows["full"]["error"]
    assert "has no content.png" in rows["broken"]["error"]
    refusals = [line for line in result.stderr.splitlines() if line.startswith("atelier: ")]
    assert len(refusals) == 2
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["runs", "--metrics", "fid"], "There is no metric 'fid'"),
        (["runs", "--models", "papers"], "did you mean paper"),
        ([], "Give folders of runs"),
        (["runs", "--content", "a.png"], "Give folders of runs"),
        (["--content", "a.png"], "Both pictures are needed"),
        (["runs", "--colour", "red"], "has no option --colour"),
    ],
)
def test_requests_that_make_no_sense_are_one_sentence(cli, tmp_path, arguments, words):
    assert_refused(cli("evaluate", *arguments), words)
