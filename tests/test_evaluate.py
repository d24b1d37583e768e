"""`atelier evaluate`: run folders and loose files, what is kept, what is refused, what goes on."""

import io
import json
import re
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
import torch
import yaml
from PIL import Image

from datamodules.images import load_picture, save_png, to_picture
from datamodules.run_folder import RunFolder
from datamodules.support.errors import AtelierError
from evaluation.finished_pictures import find_runs, load, read_run, refuse_full_mask, together
from evaluation.metrics.background import BackgroundPreservation
from evaluation.metrics.base import PictureMetric
from evaluation.metrics.change import Change
from evaluation.metrics.scores import Score
from evaluation.suite import Scores, Suite, build, evaluate, judges_itself, score_run
from evaluation.tables.meanings import SUITES
from evaluation.tables.scores import score_table
from lightning_modules.encoders.base import JointEncoder
from tests.support.cli import assert_refused
from tests.support.run_folders import write_run

SIZE = 64
TARGETS = [("box", "fire")]
MISSING = {
    "class_path": "evaluation.metrics.dists.DISTS",
    "init_args": {"weights": "nowhere/vgg16.pth"},
}


def run_folder(folder, targets=TARGETS, seed=0, size=SIZE, mask="box", data=None, **result):
    """A finished run as another program might have written it, with noise for pictures."""
    torch.manual_seed(seed)
    content = torch.rand(3, size, size)
    marked = torch.zeros(size, size)
    marked[16:40, 16:40] = 1
    marked = {"box": marked, "full": marked * 0 + 1, "empty": marked * 0}[mask]
    output = content + marked * (torch.rand(3, size, size) - content)
    images = {"content.png": content, "output.png": output, "mask.png": marked}
    return write_run(
        folder,
        {name: to_picture(image) for name, image in images.items()},
        targets,
        config={"seed_everything": seed, "data": data or {"source_text": "a Photo"}},
        result={"encoder": "bridge-lite0", **result},
    )


def result_of(folder):
    return json.loads((folder / "result.json").read_text())


def scores_of(cases, metrics, **settings):
    suite = Suite(metrics)
    return dict(evaluate([read_run(case) for case in cases], suite, **settings))


class Counting(Change):
    """Change, that counts how many pictures it was asked for."""

    def __init__(self):
        super().__init__()
        self.seen = 0

    def score(self, pictures):
        self.seen += len(pictures)
        return super().score(pictures)


class Choosy(PictureMetric):
    """Refuses batches in which a picture is darker than the rest."""

    scores: ClassVar = {"choosy": Score(True, 0, 1, "-")}

    def score(self, pictures):
        if (pictures.output.mean((1, 2, 3)) < 0.4).any():
            raise AtelierError("one is too dark")
        return {"choosy": pictures.output.mean((1, 2, 3))}


# --- reading


def test_a_run_is_read_from_its_files(tmp_path):
    targets = [*TARGETS, ("background", "snow")]
    folder = run_folder(tmp_path / "a", targets, data={"source_text": "a House"})
    for k in (1, 2):
        save_png(to_picture(torch.rand(SIZE, SIZE)), folder / f"mask-{k}.png")
    save_png(to_picture(torch.rand(3, SIZE, SIZE)), folder / "steps" / "000020.png")
    case = read_run(folder)
    assert case.styles == (("box", ((1.0, "fire"),)), ("background", ((1.0, "snow"),)))
    assert (case.source_text, case.encoder, case.size) == ("a House", "bridge-lite0", (SIZE, SIZE))
    loaded = load(case, course=True)
    assert list(loaded.course) == [20]
    assert not torch.equal(loaded.regions[0].mask, loaded.regions[1].mask)
    pictures = together([loaded, loaded])
    assert pictures.content.shape == (2, 3, SIZE, SIZE)
    assert pictures.source_text == "a House"


def test_a_folder_of_another_system_needs_no_config(tmp_path):
    folder = run_folder(tmp_path / "other")
    for name in ("config.yaml", "result.json", "mask.png"):
        (folder / name).unlink()
    (folder / "parse.json").write_text('[{"object": "box", "style": "fire"}]')  # of weight 1
    (case,) = map(read_run, find_runs(tmp_path))
    assert case.mask is None
    assert bool((load(case).mask == 1).all())
    assert scores_of([folder], {"change": Change()})
    assert result_of(folder)["metrics"]["mask_coverage"] == 1


def test_runs_are_found_at_any_depth_once(tmp_path):
    folders = [run_folder(tmp_path / name) for name in ("b/two", "a", "b/one")]
    save_png(Image.new("RGB", (32, 32)), folders[0] / "steps" / "output.png")
    assert find_runs(tmp_path) == sorted(folders)
    assert find_runs(folders[1]) == [folders[1]]
    (tmp_path / "empty").mkdir()
    for path in ("empty", "missing"):
        with pytest.raises(AtelierError, match=r"holds no run|There is no folder"):
            find_runs(tmp_path / path)


@pytest.mark.parametrize(
    ("harm", "words"),
    [
        (lambda f: (f / "output.png").unlink(), "has no output.png"),
        (lambda f: (f / "mask.png").unlink(), "has no mask.png"),
        (lambda f: (f / "result.json").unlink(), "has not finished"),
        (lambda f: (f / "parse.json").write_text("{"), "parse.json is damaged"),
        (lambda f: (f / "parse.json").write_text('{"a": 1}'), "parse.json is no list"),
        (lambda f: (f / "config.yaml").write_text("a: ]"), "config.yaml is damaged"),
        (lambda f: (f / "output.png").write_bytes(b"no"), "is not a picture"),
        (lambda f: save_png(Image.new("RGB", (70, 64)), f / "output.png"), "70x64 px, but its"),
        (lambda f: run_folder(f, mask="empty"), "is empty"),
        (lambda f: run_folder(f, mask="full"), "is full"),
    ],
)
def test_a_bad_run_is_said_and_the_others_go_on(tmp_path, harm, words):
    bad, good = run_folder(tmp_path / "bad"), run_folder(tmp_path / "good", seed=1)
    harm(bad)
    cases, said = [read_run(good)], ""
    try:
        cases.append(read_run(bad))
    except AtelierError as error:
        said = str(error)
    found = dict(evaluate(cases, Suite({"background": Change()})))
    by_name = {Path(case.name).name: scores for case, scores in found.items()}
    assert re.search(words, said or by_name["bad"].error)
    assert by_name["good"].values["object_change"] > 0
    assert not RunFolder(bad, strict=False).result.metrics


def test_a_full_mask_is_welcome_where_the_whole_picture_was_meant(tmp_path):
    whole = {"segmenter": {"class_path": "datamodules.segmentation.whole.WholePicture"}}
    folder = run_folder(tmp_path / "a", mask="full", data=whole)
    loaded = load(read_run(folder))
    refuse_full_mask(loaded)
    scores = scores_of([folder], {"background": BackgroundPreservation()})
    assert set(next(iter(scores.values())).values.values()) == {None}


def test_pixels_that_are_no_numbers_are_refused(tmp_path):
    values = np.full((SIZE, SIZE), 0.5, dtype=np.float32)
    Image.fromarray(values).save(tmp_path / "grey.tiff")
    assert np.asarray(load_picture(str(tmp_path / "grey.tiff")))[0, 0].tolist() == [128] * 3
    values[3, 3] = np.nan
    Image.fromarray(values).save(tmp_path / "nan.tiff")
    with pytest.raises(AtelierError, match="NaN or infinite pixels"):
        load_picture(str(tmp_path / "nan.tiff"))


# --- what is kept


def test_older_scores_are_kept_unless_forced(tmp_path):
    folder = run_folder(tmp_path / "a", metrics={"mine": 7, "object_change": 0.123}, method="X")
    counting = Counting()
    scores_of([folder], {"change": counting})
    assert counting.seen == 1
    result = result_of(folder)
    assert result["metrics"]["mine"] == 7
    assert result["metrics"]["object_change"] != 0.123  # from before scores had a record
    assert result["scored"] == {"change": ""}
    assert result["method"] == "X"
    when = (folder / "result.json").stat().st_mtime_ns
    again = scores_of([folder], {"change": counting})
    assert counting.seen == 1
    assert (folder / "result.json").stat().st_mtime_ns == when
    assert next(iter(again.values())).values == result["metrics"]
    scores_of([folder], {"change": counting}, force=True)
    assert counting.seen == 2


def test_another_network_is_another_measurement(tmp_path):
    folder = run_folder(tmp_path / "a")
    metric = Counting()
    scores_of([folder], {"change": metric})
    metric.network = "other"
    scores_of([folder], {"change": metric})
    assert metric.seen == 2
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
    found = scores_of(folders, {"choosy": Choosy(), "change": Change()})
    values = [found[read_run(folder)].values for folder in folders]
    assert [value["choosy"] is None for value in values] == [False, True, False]
    assert all(value["object_change"] is not None for value in values)
    assert found[read_run(folders[1])].unavailable == {"choosy": "one is too dark"}


def test_what_torch_refuses_is_noted_and_the_others_go_on(tmp_path):
    class Small(Choosy):
        def score(self, pictures):
            if (pictures.output.mean((1, 2, 3)) < 0.4).any():
                raise RuntimeError("out of memory")
            return super().score(pictures)

    folders = [run_folder(tmp_path / str(k), seed=k) for k in range(2)]
    save_png(Image.new("RGB", (SIZE, SIZE)), folders[1] / "output.png")
    found = scores_of(folders, {"choosy": Small()})
    assert found[read_run(folders[0])].values["choosy"] > 0.4
    assert found[read_run(folders[1])].unavailable == {"choosy": "RuntimeError: out of memory"}


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
        assert suite.unavailable.keys() <= offline


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_a_gpu_gives_the_same_numbers(tmp_path):
    specs = yaml.safe_load((SUITES / "embedded.yaml").read_text())
    folder = run_folder(tmp_path / "a", size=128)
    cases = [load(read_run(folder))]
    cpu, gpu = (Suite(specs, device) for device in ("cpu", "cuda"))
    names = [name for name, metric in cpu.metrics.items() if not metric.over_seeds]
    expected, found = (suite.score(cases, names)[0].values for suite in (cpu, gpu))
    assert found == pytest.approx(expected, abs=2e-2, rel=2e-2)


def test_a_table_shows_directions_spread_and_gaps():
    meanings = {"a": Score(True, 0, 1, "-"), "b": Score(False, 0, 1, "-", "dB", "a note")}
    cases = {f"run {k}": {"a": k / 10, "b": None} for k in range(6)}
    from rich.console import Console

    console = Console(width=100, record=True, file=io.StringIO())
    console.print(score_table(cases, meanings))
    text = console.export_text()
    assert re.search(r"a ↑\s+0.25\s+0.1871\s+6", text)
    assert re.search(r"b ↓\s+-\s+-\s+0\s+dB, a note", text)
    console.print(score_table({"one": {"a": 0.5, "b": None}}, meanings))
    assert re.search(r"b ↓\s+-\s+dB", console.export_text())


def test_scores_are_empty_until_something_is_known():
    assert Scores() == Scores({}, {}, {}, "", False)


def test_scores_go_to_the_wandb_run_of_the_folder(tmp_path, monkeypatch):
    import wandb

    from experiments.run.tracking import log_scores

    for name in ("WANDB_API_KEY", "WANDB_MODE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NETRC", str(tmp_path / "none"))
    monkeypatch.setenv("WANDB_MODE", "offline")
    folder = run_folder(tmp_path / "a")
    log_scores(folder, {"leakage": 0.5})  # no run: nothing happens
    assert not (folder / "wandb").exists()
    settings = wandb.Settings(console="off", silent=True)
    wandb.init(project="p", id="abc123", dir=folder, mode="offline", settings=settings).finish()
    config = {"wandb": {"project": "p"}}
    (folder / "config.yaml").write_text(yaml.safe_dump(config))
    log_scores(folder, {"leakage": 0.5, "dists": None})
    parts = sorted((folder / "wandb").glob("offline-run-*"))
    assert [part.name.rsplit("-", 1)[-1] for part in parts] == ["abc123"] * len(parts)
    said = b"".join(file.read_bytes() for part in parts for file in part.glob("*.wandb"))
    assert b"leakage" in said
    assert b"dists" not in said


# --- the command


def test_loose_files_are_scored_on_stdout(cli, tmp_path):
    folder = run_folder(tmp_path / "a")
    files = [f"--{name}={folder / name}.png" for name in ("content", "output", "mask")]
    done = cli("evaluate", *files, "--style=fire", "--metrics=background,dists", "--json")
    assert done.returncode == 0, done.stderr
    (row,) = json.loads(done.stdout)
    assert row["metrics"]["leakage"] == 0
    assert row["metrics"]["dists"] is None
    assert "torchvision:vgg16" in row["unavailable"]["dists"]
    assert result_of(folder)["metrics"] == {}  # loose files have no result.json
    shown = cli("evaluate", *files, "--metrics=background,dists")
    assert re.search(r"background_psnr ↑ +100 +dB", shown.stdout)
    assert re.search(r"dists +-", shown.stdout)
    assert shown.stderr.count("dists: unavailable: ") == 1


def test_bad_input_is_a_line_each_and_exit_code_2(cli, tmp_path):
    run_folder(tmp_path / "runs/good")
    run_folder(tmp_path / "runs/full", mask="full")
    (run_folder(tmp_path / "runs/broken") / "content.png").unlink()
    done = cli("evaluate", "runs", "--metrics=background", "--json")
    assert done.returncode == 2
    rows = {Path(row["name"]).name: row for row in json.loads(done.stdout)}
    assert rows["good"]["metrics"]["background_psnr"] == 100
    assert "is full" in rows["full"]["error"]
    assert "has no content.png" in rows["broken"]["error"]
    said = [line for line in done.stderr.splitlines() if line.startswith("atelier: ")]
    assert len(said) == 2
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["runs", "--metrics", "fid"], "There is no metric 'fid'"),
        (["runs", "--models", "papers"], "did you mean paper"),
        ([], "Give folders of runs"),
        (["runs", "--content", "a.png"], "Give folders of runs"),
        (["--content", "a.png"], "Both pictures are needed"),
        (["runs", "--colour", "red"], "knows no --colour"),
    ],
)
def test_requests_that_make_no_sense_are_one_sentence(cli, tmp_path, arguments, words):
    assert_refused(cli("evaluate", *arguments), words)


class Flat(JointEncoder):
    """An encoder that embeds everything as the same vector."""

    def __init__(self, identity):
        super().__init__()
        self.identity = identity
        self.image_size = 32

    def embed_images(self, images):
        return torch.ones(len(images), 1)

    def embed_texts(self, texts):
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
