"""`atelier bench`: from a folder of pictures and sentences to the report."""

import json

import pytest
from PIL import Image

from datamodules.images import load_picture

TINY = ["--size", 64, "--steps", 2, "--model.brush", "0.5", "--model.patches.count", 4]


@pytest.mark.slow
def test_a_folder_and_sentences_become_runs_tables_and_a_report(cli, tmp_path):
    photos = tmp_path / "photos"
    photos.mkdir()
    load_picture("skimage:chelsea").save(photos / "a cat's picture.png")
    (photos / "broken.jpg").write_bytes(b"no picture")
    (tmp_path / "list.txt").write_text("# two\nTurn it into a mosaic\n\nPaint it as fire\n")
    words = ["bench", "photos", "--instructions", "list.txt", "--methods", "clipstyler", *TINY]
    words += ["--out", "out", "--serial", "--no-wandb", "--metrics", "change,quality"]
    words += ["--data.parser", "datamodules.parsing.tree.TreeParser"]
    result = cli(*words)
    assert result.returncode == 2  # a picture is missing
    assert "broken is left out" in result.stderr
    assert "2 done, 0 skipped, 0 failed" in result.stderr.splitlines()[-1]
    runs = sorted((tmp_path / "out" / "runs").glob("*/result.json"))
    assert len(runs) == 2
    for run in runs:
        labels = json.loads((run.parent / "job.json").read_text())["labels"]
        assert labels["picture"] == "a cat's picture"
        assert json.loads(run.read_text())["metrics"]["blur"] > 0
        assert Image.open(run.parent / "output.png").size == (64, 43)
    assert "Turn it into a mosaic" in result.stdout
    page = (tmp_path / "out" / "report" / "index.html").read_text(encoding="utf-8")
    assert "cat" in page
    before = [run.stat().st_mtime_ns for run in runs]
    again = cli(*words)
    assert "0 done, 2 skipped, 0 failed" in again.stderr.splitlines()[-1]
    assert [run.stat().st_mtime_ns for run in runs] == before


def test_a_set_is_planned_without_being_made(cli, tmp_path):
    result = cli("bench", "demo", "--dry-run", *TINY)
    assert result.returncode == 0, result.stderr
    assert result.stdout.splitlines()[-1].startswith("24 runs: 0 done, 24 to make")
    double = cli("bench", "demo", "--methods", "soulstyler,sem_cs", "--dry-run", *TINY)
    assert double.stdout.splitlines()[-1].startswith("12 runs")


def test_the_demo_has_a_network_in_every_run_unless_models_are_chosen(cli):
    plans = [
        cli("bench", "demo", "--methods", "clipstyler", "--dry-run", *TINY, *models).stdout
        for models in ([], ["--models", "fast"], ["--models", "embedded"])
    ]
    assert plans[0] == plans[1] != plans[2]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["soulstyler", "--dry-run"], "Nothing of the set soulstyler can be run here"),
        (["soulstiler"], "soulstyler"),
        (["."], "needs --instructions FILE"),
        (["demo", "--methods", "fusio"], "did you mean fusion"),
        (["demo", "--colour", "red"], "has no option --colour"),
    ],
)
def test_what_cannot_be_run_is_said(cli, tmp_path, arguments, words):
    result = cli("bench", *arguments)
    assert result.returncode == 2
    assert words in result.stderr.splitlines()[-1]
    assert "Traceback" not in result.stderr
