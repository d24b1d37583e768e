"""`atelier train`."""

import csv

import torch
from safetensors.torch import load_file

from tests.support.cli import assert_refused
from tests.support.training import TinyOnePass, configured


def losses(folder):
    with (folder / "losses.csv").open() as stream:
        return [[float(value) for value in row.values()] for row in csv.DictReader(stream)]


def test_a_training_writes_weights_losses_pictures_and_its_configuration(cli, tmp_path):
    configured(tmp_path)
    done = cli("train", "tiny.yaml", "--out", "out", "--training.pictures_every", 4)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "weights  out/weights.safetensors\n"
    assert "photos   5, in 2 styles" in done.stderr
    assert "memory   about" in done.stderr
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
