"""docs/template: installed as a package of its own, it adds its parts to every command."""

import json
import os
import shutil
import subprocess
import sys

import pytest

from tests.support.cli import ROOT

pytestmark = pytest.mark.xdist_group("template")  # one process installs it
TEMPLATE = ROOT / "docs" / "template"
SWEEP = """
method: [sketch, gatys]
fixed: {image: skimage:chelsea, style_image: skimage:brick, style: ink, size: 64, steps: 2,
        parser: arrow, segmenter: disc}
grid: {seed: [0]}
"""
PROGRAM = """
import contextlib, io, json, sys
from experiments.cli import main
done = []
for words in json.load(sys.stdin):
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main(words)
    done.append([code, out.getvalue(), err.getvalue()])
print(json.dumps(done))
"""
SMALL = ["--size=64", "--steps=2", "--full-size=0", "--no-wandb"]
COMMANDS = {
    "list": ["list", "methods"],
    "all": ["list"],
    "parse": ["parse", "cat -> fire", "--parser", "arrow"],
    "mask": ["mask", "skimage:chelsea", "cat", "--segmenter=disc", "-o", "mask.png"],
    "stylize": ["stylize", "skimage:chelsea", "cat -> fire", "--parser=arrow", "--segmenter=disc",
                "--method=sketch", "--out=run", *SMALL],
    "evaluate": ["evaluate", "run", "--metrics=contours,change", "--json", "--no-wandb"],
    "sweep": ["sweep", "sweep.yaml", "--serial", "--out=sweep", "--no-wandb",
              "--metrics=change,contours"],
    "results": ["results", "sweep", "--format=csv"],
    "setting": ["stylize", "skimage:chelsea", "--method=sketch", "--model.spraed=2"],
    "wrong metric": ["evaluate", "run", "--metrics=contuors", "--no-wandb"],
}  # fmt: skip


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """The template in a folder of packages, without network."""
    place = tmp_path_factory.mktemp("template")
    source = shutil.copytree(TEMPLATE, place / "source")  # pip builds beside the source
    words = ["install", "-q", "--no-deps", "--no-build-isolation", "--no-index", "--target"]
    pip = [sys.executable, "-m", "pip", *words, place / "packages", source]
    subprocess.run(list(map(str, pip)), check=True, capture_output=True)
    return place


def environment(installed):
    path = os.pathsep.join([str(installed / "packages"), str(ROOT)])
    return os.environ | {"PYTHONPATH": path, "COLUMNS": "100"}


@pytest.fixture(scope="module")
def answer(installed):
    """Exit code, stdout and stderr of each command, all in one process."""
    place = installed / "work"
    place.mkdir()
    (place / "sweep.yaml").write_text(SWEEP)
    whole = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        input=json.dumps(list(COMMANDS.values())),
        cwd=place,
        env=environment(installed),
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert whole.returncode == 0, whole.stderr
    return dict(zip(COMMANDS, json.loads(whole.stdout), strict=True)) | {"place": place}


def test_the_parts_are_listed_with_their_package(answer):
    code, out, err = answer["list"]
    assert (code, err) == (0, "")
    (line,) = [line for line in out.splitlines() if line.split()[0] == "sketch"]
    assert "Sketch: the picture takes the style of a text, and its contours stay" in line
    assert line.endswith("atelier-template 0.1.0")
    ours = [line for line in answer["all"][1].splitlines() if "atelier-template" in line]
    assert [line.split()[0] for line in ours] == ["sketch", "contours", "disc", "arrow"]


def test_parser_and_segmenter_are_chosen_by_name(answer):
    code, out, err = answer["parse"]
    assert (code, json.loads(out)) == (0, [{"object": "cat", "style": "fire"}]), err
    assert answer["mask"][0] == 0, answer["mask"]


def test_the_method_runs_by_its_name(answer):
    code, _, err = answer["stylize"]
    assert code == 0, err
    result = json.loads((answer["place"] / "run" / "result.json").read_text())
    assert (result["method"], result["segmenter"], result["steps"]) == ("Sketch", "Disc", 2)
    assert set(result["losses"]) == {"total", "global", "contours"}


def test_the_metric_is_measured_by_its_name(answer):
    code, out, err = answer["evaluate"]
    assert code == 0, err
    (run,) = json.loads(out)
    assert 0 < run["metrics"]["contour_loss"] < 1
    assert "object_change" in run["metrics"]


def test_a_sweep_compares_the_method_and_shows_the_metric(answer):
    code, _, err = answer["sweep"]
    assert code == 0, err
    assert "lost contours ↓" in answer["results"][1] or "contour_loss" in answer["results"][1]
    page = (answer["place"] / "sweep" / "report" / "index.html").read_text()
    assert "lost contours" in page and "Sketch" in page


def test_mistakes_are_one_sentence(answer):
    for name, sentence in {
        "setting": "There is no setting 'model.spraed' of Sketch; did you mean model.spread?",
        "wrong metric": "did you mean contours?",
    }.items():
        code, out, err = answer[name]
        assert (code, out, err.count("\n")) == (2, "", 1), answer[name]
        assert sentence in err


def test_the_templates_own_tests_pass(installed):
    words = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests"]
    own = installed / "source"
    run = subprocess.run(words, cwd=own, env=environment(installed), capture_output=True, text=True)
    assert run.returncode == 0, run.stdout
    assert "4 passed" in run.stdout


def test_two_packages_with_one_name_and_a_builtin_name_are_said(installed, monkeypatch):
    from datamodules.support import outside

    def entries(*pairs):
        return [outside.Added(name, "x.y", package) for name, package in pairs]

    monkeypatch.setattr(outside, "added", lambda kind: entries(("a", "one 1"), ("a", "two 2")))
    with pytest.raises(outside.AtelierError, match="one 1 and two 2 both add a to"):
        outside.find("methods", "a")
    from experiments.run.listing import lines

    monkeypatch.setattr(outside, "added", lambda kind: entries(("gatys", "one 1")))
    assert lines("methods")[-1].origin == "one 1, hidden by Atelier's"
