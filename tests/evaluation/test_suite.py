"""Metrics applied to runs: what is scored, skipped and unavailable."""

import re
from typing import ClassVar

import pytest
import torch
import yaml
from PIL import Image

from datamodules.images import save_png
from datamodules.support.errors import AtelierError
from evaluation.finished_pictures import read_run
from evaluation.metrics.background import BackgroundPreservation
from evaluation.metrics.base import PictureMetric
from evaluation.metrics.change import Change
from evaluation.metrics.scores import Score
from evaluation.suite import Scores, Suite, build, judges_itself, score_run
from evaluation.tables.meanings import SUITES
from lightning_modules.encoders.base import JointEncoder
from tests.support.noise_runs import SIZE, result_of, run_folder, scores_of

MISSING = {
    "class_path": "evaluation.metrics.dists.DISTS",
    "init_args": {"weights": "nowhere/vgg16.pth"},
}


class Counting(Change):
    """Change, that counts how many pictures it was asked for."""

    def __init__(self):
        super().__init__()
        self.count = 0

    def score(self, pictures):
        self.count += len(pictures)
        return super().score(pictures)


class Choosy(PictureMetric):
    """Refuses batches in which a picture is darker than the rest."""

    scores: ClassVar = {"choosy": Score(True, 0, 1, "-")}

    def score(self, pictures):
        if (pictures.output.mean((1, 2, 3)) < 0.4).any():
            raise AtelierError("one is too dark")
        return {"choosy": pictures.output.mean((1, 2, 3))}


def test_older_scores_are_kept_unless_forced(tmp_path):
    folder = run_folder(tmp_path / "a", metrics={"mine": 7, "object_change": 0.123}, method="X")
    counting = Counting()
    scores_of([folder], {"change": counting})
    assert counting.count == 1
    result = result_of(folder)
    assert result["metrics"]["mine"] == 7
    assert result["metrics"]["object_change"] != 0.123  # from before scores had a record
    assert result["scored"] == {"change": ""}
    assert result["method"] == "X"
    when = (folder / "result.json").stat().st_mtime_ns
    again = scores_of([folder], {"change": counting})
    assert counting.count == 1
    assert (folder / "result.json").stat().st_mtime_ns == when
    assert next(iter(again.values())).values == result["metrics"]
    scores_of([folder], {"change": counting}, force=True)
    assert counting.count == 2


def test_another_network_is_another_measurement(tmp_path):
    folder = run_folder(tmp_path / "a")
    metric = Counting()
    scores_of([folder], {"change": metric})
    metric.network = "other"
    scores_of([folder], {"change": metric})
    assert metric.count == 2
    assert {"object_change", "object_change.other"} <= result_of(folder)["metrics"].keys()


def test_what_cannot_be_made_is_unavailable_with_its_reason(tmp_path):
    folder = run_folder(tmp_path / "a", metrics={"dists": 0.2, "background_dists": 0.1})
    scores = scores_of([folder], {"dists": MISSING, "change": Change()})
    (only,) = scores.values()
    assert "nowhere/vgg16.pth" in only.unavailable["dists"]
    result = result_of(folder)
    assert result["metrics"]["dists"] == 0.2  # the number of a machine that had the weights
    assert result["metrics"]["object_change"] > 0
    fresh = run_folder(tmp_path / "b")
    scores_of([fresh], {"dists": MISSING})
    assert result_of(fresh)["metrics"] == {"dists": None}
    # When the weights have come, the null goes.
    there = {"class_path": MISSING["class_path"], "init_args": {"weights": "untrained"}}
    scores_of([fresh], {"dists": there})
    assert result_of(fresh)["unavailable"] == {}
    assert all(value is not None for value in result_of(fresh)["metrics"].values())


def test_a_metric_that_refuses_one_picture_serves_the_others(tmp_path):
    folders = [run_folder(tmp_path / str(k), seed=k) for k in range(3)]
    save_png(Image.new("RGB", (SIZE, SIZE)), folders[1] / "output.png")
    outcome = scores_of(folders, {"choosy": Choosy(), "change": Change()})
    values = [outcome[read_run(folder)].values for folder in folders]
    assert [value["choosy"] is None for value in values] == [False, True, False]
    assert all(value["object_change"] is not None for value in values)
    assert outcome[read_run(folders[1])].unavailable == {"choosy": "one is too dark"}


def test_what_torch_refuses_is_noted_and_the_others_go_on(tmp_path):
    class Small(Choosy):
        def score(self, pictures):
            if (pictures.output.mean((1, 2, 3)) < 0.4).any():
                raise RuntimeError("out of memory")
            return super().score(pictures)

    folders = [run_folder(tmp_path / str(k), seed=k) for k in range(2)]
    save_png(Image.new("RGB", (SIZE, SIZE)), folders[1] / "output.png")
    outcome = scores_of(folders, {"choosy": Small()})
    assert outcome[read_run(folders[0])].values["choosy"] > 0.4
    assert outcome[read_run(folders[1])].unavailable == {"choosy": "RuntimeError: out of memory"}


def test_batches_hold_pictures_of_one_size_and_give_what_each_gives_alone(tmp_path):
    folders = [run_folder(tmp_path / str(k), seed=k, size=64 + 8 * (k % 2)) for k in range(5)]
    together = scores_of(folders, {"background": BackgroundPreservation()}, batch=2)
    for folder in folders:
        alone = scores_of([folder], {"background": BackgroundPreservation()}, force=True)
        assert together[read_run(folder)].values == pytest.approx(alone[read_run(folder)].values)


def test_seeds_of_one_experiment_are_compared_with_one_another(tmp_path):
    spec = yaml.safe_load((SUITES / "embedded.yaml").read_text())["seed_direction"]
    runs = [run_folder(tmp_path / f"same-{k}", seed=k) for k in range(2)]
    runs.append(run_folder(tmp_path / "alone", seed=0, data={"source_text": "a Cat"}))
    scores_of(runs, {"seed_direction": build(spec)})
    name = "seed_direction_spread.bridge-lite2"
    first, second, alone = (result_of(run).get("metrics", {}).get(name) for run in runs)
    assert first == second
    assert 0 <= first <= 2
    assert alone is None


def test_a_judge_of_its_own_work_alone_is_warned_of(tmp_path, caplog):
    assert judges_itself({"own_style_patch.a": 0.5, "leakage": 0.0, "style_patch.b": None})
    assert not judges_itself({"own_style_patch.a": 0.5, "style_patch.b": 0.4})
    assert not judges_itself({"leakage": 0.0})
    specs = yaml.safe_load((SUITES / "embedded.yaml").read_text())
    folder = run_folder(tmp_path / "a")
    scores_of([folder], {"own_style_global": specs["own_style_global"]})
    assert "only the encoder that was optimised has judged" in caplog.text
    caplog.clear()
    scores_of([folder], {"style_global": specs["style_global"]})
    assert caplog.text == ""
    names = result_of(folder)["metrics"]
    assert "own_style_global.bridge-lite0" in names
    assert "style_global.bridge-lite2" in names
    assert "style_global.bridge-lite0" not in names  # never under the name of an independent judge


@pytest.mark.parametrize("path", sorted(SUITES.glob("*.yaml")), ids=lambda path: path.stem)
def test_every_metric_of_the_shipped_sets_can_be_made_or_says_what_is_missing(path, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    suite = Suite(yaml.safe_load(path.read_text()))
    assert suite.metrics.keys() >= {"change", "background", "quality"}
    for reason in suite.unavailable.values():
        assert re.search("weights .* are not on this machine", reason), reason
    if path.stem == "embedded":
        offline = {"dists", "lpips", "nima", "seed_dists", "seed_lpips"}
        offline |= {"piq_dists", "piq_lpips", "brisque", "clip_iqa"}
        assert suite.unavailable.keys() <= offline


def test_scores_are_empty_until_something_is_known():
    assert Scores() == Scores({}, {}, {}, "", False)


class Flat(JointEncoder):
    """An encoder that embeds everything as the same vector."""

    def __init__(self, identity):
        super().__init__()
        self.identity = identity
        self.image_size = 32

    def embed_images(self, images):
        return torch.ones(len(images), 1)

    def text_features(self, texts):
        return torch.ones(len(texts), 1)


@pytest.mark.parametrize(
    ("optimised", "judge"), [("bridge-lite0", "bridge-lite2"), ("bridge-lite2", "bridge-lite0")]
)
def test_the_style_of_a_run_is_judged_by_an_encoder_that_was_not_optimised(
    tmp_path, optimised, judge
):
    scores = score_run(run_folder(tmp_path), Flat(optimised))
    judges = {name.split(".")[1] for name in scores.values if name.startswith("style_global.")}
    assert judges == {judge}
    assert scores.scored["style_global"] == judge
    assert f"own_style_global.{optimised}" in scores.values
