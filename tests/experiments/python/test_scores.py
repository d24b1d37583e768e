"""`atelier.evaluate`, `read_run` and `read_runs`, beside the commands."""

import csv
import json
import math

import atelier
import numpy as np
import pytest
from PIL import Image

from datamodules.support import extras
from tests.support.noise_runs import run_folder

METRICS = ["background", "dists"]


def test_two_pictures_have_the_commands_scores(cli, tmp_path):
    folder = run_folder(tmp_path / "a")
    names = ("content", "output", "mask")
    files = [f"--{name}={folder / name}.png" for name in names]
    answer = cli("evaluate", *files, "--style=fire", f"--metrics={','.join(METRICS)}", "--json")
    (row,) = json.loads(answer.stdout)
    arrays = {name: np.asarray(Image.open(folder / f"{name}.png")) for name in names}
    with pytest.warns(atelier.AtelierWarning, match="dists: unavailable"):
        scores = atelier.evaluate(**arrays, style="fire", metrics=METRICS)
    assert (scores.values, scores.unavailable) == (row["metrics"], row["unavailable"])


def test_folders_have_scores_and_failures(tmp_path):
    good, broken = (run_folder(tmp_path / "runs" / name) for name in ("good", "broken"))
    (broken / "content.png").unlink()
    with pytest.warns(atelier.AtelierWarning, match="has no content.png"):
        result = atelier.evaluate(tmp_path / "runs", metrics=["background"])
    assert result.scores[str(good)].values["background_psnr"] == 100
    assert list(result.failures) == [str(broken)]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({}, "Give folders of runs"),
        ({"folders": "runs", "content": "a.png"}, "Give folders of runs"),
        ({"content": "a.png"}, "Both pictures are needed"),
        ({"folders": "nowhere"}, "nowhere"),
        ({"folders": "runs", "metrics": ["fid"]}, "There is no metric 'fid'"),
        ({"content": "a.png", "output": "b.png", "metrics": ["change"]}, "no picture at b.png"),
    ],
)
def test_a_wrong_request_is_one_sentence(arguments, sentence, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(atelier.AtelierError, match=sentence):
        atelier.evaluate(**arguments)


def test_runs_are_the_rows_of_the_commands_table(cli, finished_sweep, tmp_path):
    pandas = pytest.importorskip("pandas")
    folder = finished_sweep.folder
    words = ["--each", "--metrics", "all", "-o", tmp_path / "runs.csv"]
    assert cli("results", folder, *words).returncode == 0
    rows = list(csv.DictReader((tmp_path / "runs.csv").open()))
    table = atelier.read_runs(folder)
    assert list(table.columns) == list(rows[0]) and len(table) == len(rows) == 4
    for name in ("model.tau", "seed", "object_change"):
        assert table[name].tolist() == pytest.approx([float(row[name]) for row in rows])
    one = atelier.read_runs(folder, by=["seed"], where=["model.tau=0.3"])
    assert list(one["seed"]) == [0, 1] and isinstance(one, pandas.DataFrame)
    run = atelier.read_run(folder / table["folder"][0])
    change = table["object_change"][0]
    assert run.scores["object_change"] == change and not math.isnan(change)


def test_without_pandas_there_is_one_sentence(monkeypatch):
    monkeypatch.setattr(extras, "is_installed", lambda module: module != "pandas")
    with pytest.raises(atelier.AtelierError, match=r"DataFrame needs pandas; run: pip install"):
        atelier.read_runs("runs")


def test_a_folder_that_holds_no_run_is_refused(tmp_path):
    with pytest.raises(atelier.AtelierError, match=r"has no result\.json"):
        atelier.read_run(tmp_path)
