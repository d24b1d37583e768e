"""`atelier.compare`, `sweep` and `train`, as far as they say more than the commands."""

import atelier
import pytest
from PIL import Image
from skimage import data

from tests.support.training import configured

QUICK = {"size": 64, "steps": 1, "settings": {"model.patches.count": 2}}


def test_a_comparison_names_the_methods_that_failed(mask, tmp_path):
    request = {"targets": {"cat": "fire"}, "mask": mask, "out": tmp_path / "out", "size": 64}
    sheet = atelier.compare(
        data.chelsea(), methods=["clipstyler"], steps=1,
        settings={"model.patches.count": 2}, **request,
    )  # fmt: skip
    assert Image.open(sheet.file).width > 2 * 64
    assert atelier.read_run(sheet.runs["clipstyler"]).record.method == "CLIPstyler"
    diverging = {"model.patches.count": 2, "model.optimizer.lr": 1e30}
    with pytest.raises(atelier.AtelierError, match=r"clipstyler has failed: .*not finite"):
        atelier.compare(
            data.chelsea(), methods=["clipstyler"], steps=2, settings=diverging, **request
        )


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: atelier.compare("skimage:chelsea", "x", []), "names none"),
        (lambda: atelier.compare("skimage:chelsea"), "There is no instruction"),
        (lambda: atelier.sweep("thresold"), "did you mean threshold"),
        (lambda: atelier.sweep({"gird": {}}), "gird"),
        (lambda: atelier.sweep({"grid": {"seed": [0]}}, workers="two"), "workers is 'two'"),
        (lambda: atelier.sweep({}, force=True, only_missing=True), "give one"),
        (lambda: atelier.train(), "Give what to train"),
        (lambda: atelier.train("fast_clipstyler", resume="x"), "Give what to train"),
    ],
)
def test_a_wrong_request_is_one_sentence(call, sentence):
    with pytest.raises(atelier.AtelierError, match=sentence):
        call()


def test_an_unfinished_sweep_says_so(mask, tmp_path):
    plan = {
        "fixed": {"image": "skimage:chelsea", "style": "fire", "mask": str(mask), "size": 64,
                  "steps": 2, "model.patches.count": 2},
        "grid": {"model.optimizer.lr": [1e30]},
    }  # fmt: skip
    with pytest.warns(atelier.AtelierWarning, match="Not all runs in .* are done"):
        folder = atelier.sweep(plan, workers="serial", evaluate=False, out=tmp_path / "out")
    assert (folder / "runs").is_dir()


def test_a_training_gives_the_commands_weights(cli, tmp_path, monkeypatch):
    configured(tmp_path)
    monkeypatch.chdir(tmp_path)
    assert cli("train", "tiny.yaml", "--out", "a").returncode == 0
    weights = atelier.train("tiny.yaml", out="b")
    assert weights.parent.name == "b"
    assert (tmp_path / "a" / "losses.csv").read_text() == (
        tmp_path / "b" / "losses.csv"
    ).read_text()
    with pytest.raises(atelier.AtelierError, match="holds a finished training"):
        atelier.train("tiny.yaml", out="b")
