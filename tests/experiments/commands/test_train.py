"""`atelier train`."""

import csv
from functools import partial

import pytest
import torch
import yaml
from safetensors.torch import load_file

from lightning_modules.steps import memory
from tests.support import tiny
from tests.support.cli import ROOT, assert_refused, process
from tests.support.training import TinyOnePass, configured, photos


def losses(folder):
    with (folder / "losses.csv").open() as stream:
        return [[float(value) for value in row.values()] for row in csv.DictReader(stream)]


def test_a_training_writes_weights_losses_pictures_and_its_configuration(cli, tmp_path):
    configured(tmp_path)
    result = cli("train", "tiny.yaml", "--out", "out", "--training.pictures_every", 4)
    assert result.returncode == 0, result.stderr
    assert result.stdout == "weights  out/weights.safetensors\n"
    assert "photos   5, in 2 styles" in result.stderr
    assert "memory   about" in result.stderr
    out = tmp_path / "out"
    assert {path.name for path in out.iterdir()} == {
        *("config.yaml", "last.ckpt", "losses.csv", "steps", "weights.safetensors")
    }
    assert {path.name for path in (out / "steps").iterdir()} == {"000004.png", "000006.png"}
    rows = losses(out)
    assert [row[0] for row in rows] == list(range(6))
    assert rows[-1][1] < rows[0][1]
    refused = cli("train", "tiny.yaml", "--out", "out")
    assert_refused(refused, "out holds a finished training; give another --out, or --overwrite")
    more = cli("train", "tiny.yaml", "--ckpt", "out/weights.safetensors", "--out", "more")
    assert more.returncode == 0, more.stderr
    assert losses(tmp_path / "more")[0][1] < rows[0][1]


def test_a_class_without_a_file_is_trained_with_options_alone(cli, tmp_path):
    photos(tmp_path / "photos", 2)
    words = ["--folder", "photos", "--style", "fire", "--steps", 1, "--crop", 32, "--no-wandb"]
    words += [*tiny.OPTIONS, "--model.generator", "tests.support.training.TinyOnePass"]
    words += ["--model.weights.global", 1, "--model.tau", 0.1, "--data.workers", 0]
    result = cli("train", "tests.support.training.Own", *words, "--out", "out")
    assert result.returncode == 0, result.stderr
    assert (tmp_path / "out" / "weights.safetensors").exists()
    config = yaml.safe_load((tmp_path / "out" / "config.yaml").read_text())
    assert config["model"]["class_path"] == "tests.support.training.Own"
    assert config["code"] == [str(ROOT)]


def test_ctrl_c_leaves_a_checkpoint_from_which_the_training_goes_on_exactly(
    cli, tmp_path, monkeypatch
):
    configured(tmp_path)
    parts = "--trainer.accumulate_grad_batches", 2, "--model.generator.dropout", 0.5
    assert cli("train", "tiny.yaml", *parts, "--out", "whole").returncode == 0
    # Within the third step of six, in the middle of the third pass over the photos; the first batch
    # of all is that of the memory's estimate.
    monkeypatch.setattr(TinyOnePass, "interrupt", 6)
    stopped = cli("train", "tiny.yaml", *parts, "--out", "broken")
    monkeypatch.setattr(TinyOnePass, "interrupt", 0)
    assert stopped.returncode == 130
    assert "stopping after this step" in stopped.stderr
    broken = tmp_path / "broken"
    assert len(losses(broken)) == 3
    assert not (broken / "weights.safetensors").exists()
    changed = cli("train", "tiny.yaml", *parts, "--out", "broken", "--model.tau", 0.3)
    assert_refused(changed, "broken holds an unfinished training with model.tau 0.1, not 0.3")
    resumed = cli("train", "--resume", "broken")
    assert resumed.returncode == 0, resumed.stderr
    assert "goes on  from broken/last.ckpt" in resumed.stderr
    assert losses(broken) == losses(tmp_path / "whole")
    weights = [load_file(tmp_path / name / "weights.safetensors") for name in ("whole", "broken")]
    assert all(torch.equal(value, weights[1][name]) for name, value in weights[0].items())


def test_an_error_leaves_a_checkpoint_from_which_the_training_goes_on(cli, tmp_path, monkeypatch):
    configured(tmp_path)
    cli("train", "tiny.yaml", "--out", "whole", "--training.pictures_every", 0)
    paint = TinyOnePass.paint

    def fail(self, content, styles):
        if self.painted == 5:
            raise RuntimeError("the device is gone")
        return paint(self, content, styles)

    monkeypatch.setattr(TinyOnePass, "paint", fail)
    words = "train", "tiny.yaml", "--out", "broken", "--training.pictures_every", 0
    with pytest.raises(RuntimeError, match="the device is gone"):
        cli(*words, ATELIER_TRACEBACK="1")
    monkeypatch.setattr(TinyOnePass, "paint", paint)
    assert len(losses(tmp_path / "broken")) == 4
    assert cli(*words).returncode == 0
    assert losses(tmp_path / "broken") == losses(tmp_path / "whole")


def test_losses_that_are_not_finite_end_the_training_and_leave_no_checkpoint(cli, tmp_path):
    configured(tmp_path)
    rate = "--model.optimizer", "torch.optim.SGD", "--model.optimizer.lr", "1e38"
    result = cli("train", "tiny.yaml", "--out", "out", *rate)
    assert result.returncode == 2
    assert "are not finite; give a lower --model.optimizer.lr" in result.stderr
    assert not (tmp_path / "out" / "last.ckpt").exists()


def test_pictures_and_losses_are_logged_and_bad_photos_named(cli, tmp_path):
    configured(tmp_path)
    (tmp_path / "photos" / "photo3.png").write_text("no picture")
    words = "train", "tiny.yaml", "--out", "out", "--steps", 2, "--wandb.enabled", "true"
    result = cli(*words, WANDB_API_KEY="", WANDB_MODE="offline")
    assert result.returncode == 0, result.stderr
    assert result.stderr.count("photo3.png is not a picture") == 1
    logged = tmp_path / "out" / "wandb"
    assert list(logged.glob("offline-run-*/files/media/images/pictures_*.png"))


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ((), "Give what to train, one of .*fast_clipstyler.* or --resume"),
        (("tiny.yml",), "There is no training at tiny.yml"),
        (("nowhere.yaml",), "There is no training at nowhere.yaml"),
        (("tiny.yaml", "--batch", 3, "--trainer.accumulate_grad_batches", 2), "give --batch a mul"),
        (("tiny.yaml", "--folder", "nowhere"), "There is no folder .*nowhere"),
        (("tiny.yaml", "--style", "fire", "--styles", "f.txt"), "not both"),
        (("tiny.yaml", "--style", "0.5*fire + ice"), "'ice' has no weight"),
        (("tiny.yaml", "--styles", "nowhere.txt"), "There are no style texts to read at .*nowhere"),
        (("tiny.yaml", "--ckpt", "nowhere.safetensors"), "There are no weights at .*nowhere"),
        (("tiny.yaml", "--steps", 0), "give --steps 2000"),
        (("tiny.yaml", "--model.taus", 1), "There is no setting 'model.taus'.*did you mean"),
        (("tiny.yaml", "--resume", "out"), "Give what to train"),
        (("--resume", "nowhere"), "There is no configuration at nowhere"),
    ],
)
def test_wrong_settings_are_refused_in_one_sentence(cli, tmp_path, words, sentence):
    configured(tmp_path)
    assert_refused(cli("train", *words), sentence)


def test_a_step_that_does_not_fit_into_memory_is_refused(cli, tmp_path, monkeypatch):
    configured(tmp_path)
    monkeypatch.setattr(memory, "available", lambda device: 2_000_000)
    monkeypatch.setattr("experiments.run.train.available", lambda device: 2_000_000)
    assert_refused(
        cli("train", "tiny.yaml", "--out", "out", "--batch", 400),
        "A step with 400 pictures at a time takes about .* give --batch with fewer pictures",
    )


@pytest.mark.slow  # starts two processes
def test_two_processes_have_the_gradient_of_one_with_the_whole_batch(cli, tmp_path):
    configured(tmp_path)
    # The reference takes norms of the whole batch, which the processes must put together.
    step = "train", "tiny.yaml", "--steps", 1, "--model.mode", "reference"
    step += "--model.weights", "{global: 1, patch: 1, content: 1, tv: 1e-3}"
    step += "--model.optimizer", "torch.optim.SGD", "--model.optimizer.lr", 1
    runs = {"one": cli, "two": partial(process, cwd=tmp_path)}
    start, gradients = TinyOnePass().network.state_dict(), []
    for devices, (name, run) in enumerate(runs.items(), 1):
        result = run(*step, "--trainer.devices", devices, "--out", name)
        assert result.stdout == f"weights  {name}/weights.safetensors\n", result.stderr
        weights = load_file(tmp_path / name / "weights.safetensors")
        gradients.append(torch.cat([(weights[k] - v).flatten() for k, v in start.items()]))
    one, two = gradients
    assert one.abs().max() > 0.1
    assert (one - two).abs().max() < 1e-6
    assert losses(tmp_path / "two")[0] == pytest.approx(losses(tmp_path / "one")[0], rel=1e-6)
