"""`atelier copy`."""

import json

import pytest

from experiments.run.configuration import compose
from experiments.run.registry import METHODS, names
from tests.support import tiny
from tests.support.cli import assert_refused
from tests.support.pictures import pixels

MOVED = {"code", "model"}  # what the configuration of a copy has of its own


@pytest.mark.parametrize("models", ["embedded", "fast", "paper", "reference"])
@pytest.mark.parametrize("method", names(METHODS))
def test_a_copy_is_configured_as_the_original(tmp_path, monkeypatch, method, models):
    from experiments.run.copying import copy

    name = f"copied_{method}_{models}"
    files = copy("methods", method, tmp_path, name).files
    assert files[:2] == (tmp_path / f"{name}.py", tmp_path / f"{name}.yaml")
    monkeypatch.setattr("sys.path", [*__import__("sys").path])
    copied, original = compose(str(files[1]), models), compose(method, models)
    settings = [config["model"]["init_args"] for config in (copied, original)]
    assert settings[0] == settings[1]
    assert copied["model"]["class_path"].startswith(f"{name}.Copied")
    assert copied["code"] == [str(tmp_path)]
    rest = [{k: v for k, v in c.items() if k not in MOVED} for c in (copied, original)]
    assert rest[0] == rest[1]


def test_a_copy_runs_at_once_and_makes_the_same_picture(cli, tmp_path):
    result = cli("copy", "clipstyler", "mine")
    assert result.returncode == 0, result.stderr
    assert "--method mine/my_clipstyler.yaml" in result.stderr
    assert result.stdout.splitlines()[:2] == ["mine/my_clipstyler.py", "mine/my_clipstyler.yaml"]
    words = ["--style=fire", "--parser=rules", "--size=64", "--steps=1", "--full-size=0"]
    words += ["--no-wandb", "--model.patches.count=4", *tiny.OPTIONS]
    for method in ("mine/my_clipstyler.yaml", "clipstyler"):
        out = f"--out={method.rpartition('/')[2]}"
        result = cli("stylize", "skimage:chelsea", *words, f"--method={method}", out)
        assert result.returncode == 0, result.stderr
    mine, original = tmp_path / "my_clipstyler.yaml", tmp_path / "clipstyler"
    assert pixels(mine / "output.png") == pixels(original / "output.png")
    assert json.loads((mine / "result.json").read_text())["method"] == "MyCLIPstyler"


def test_parts_are_copied_with_a_class_of_their_own(cli, tmp_path):
    for part, words, name in (
        ("bridge", ["--kind=segmenters", "--name=finder"], "--segmenter finder.Finder"),
        ("change", [], "--metrics my_change.MyChange"),
        ("rules", ["--name=two_rules"], "--parser two_rules.TwoRules"),
    ):
        result = cli("copy", part, "parts", *words)
        assert (result.returncode, f"use it by {name} in parts" in result.stderr) == (0, True), (
            result
        )
        file = tmp_path / result.stdout.strip()
        compile(file.read_text(), file, "exec")
        assert f"class {name.rpartition('.')[2]}(" in file.read_text()


def test_nothing_is_overwritten_or_hidden(cli, tmp_path):
    (tmp_path / "my_gatys.yaml").write_text("mine")
    assert_refused(cli("copy", "gatys"), "my_gatys.yaml is there already")
    assert not (tmp_path / "my_gatys.py").exists()
    assert_refused(cli("copy", "gatys", "--name=numpy"), "Python has a numpy already")
    assert_refused(cli("copy", "gatys", "--name=../x"), "'../x' is no name for a Python file")
    assert_refused(cli("copy", "bridge"), "one of the segmenters and of the encoders; add --kind")
    assert_refused(cli("copy", "gatis"), "nothing called 'gatis' to copy; .*did you mean gatys")
