"""`atelier sweep`."""

import shutil

import pytest
import yaml

from tests.support.sweeps import write_sweep


def test_a_place_that_cannot_be_written_is_said_before_anything_starts(cli, tmp_path, sweep):
    (tmp_path / "out").write_text("in the way")
    done = cli("sweep", sweep({"seed": [0]}), "--out", "out", "--no-wandb")
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert "Cannot write out/runs" in line


def test_a_dry_run_lists_runs_models_and_makes_none(cli, tmp_path, sweep):
    path = sweep({"seed": [0, 1]})
    done = cli("sweep", path, "--dry-run")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert len(lines) == 3
    assert "open" in lines[0]
    assert "seed 1" in lines[1]
    assert lines[2] == "2 runs: 0 done, 2 to make; time: unknown, no run is done"
    assert not (tmp_path / "runs").exists()
    text = path.read_text() + "models: paper\n"
    path.write_text(text)
    done = cli("sweep", path, "--dry-run")
    assert "needs open_clip:ViT-B-32-quickgelu/openai: MISSING" in done.stdout


def test_a_sweep_for_wandb_names_every_setting(cli, tmp_path, mask):
    (tmp_path / "in").mkdir()
    shutil.copy(mask, tmp_path / "in" / "mask.png")
    grid = {"model.tau": {"from": 0.1, "to": 0.3, "step": 0.1}, "parser": ["rules"]}
    path = write_sweep(tmp_path, tmp_path / "in" / "mask.png", grid)
    done = cli("sweep", path, "--export-wandb", "w.yaml")
    assert done.returncode == 0, done.stderr
    written = yaml.safe_load((tmp_path / "w.yaml").read_text())
    assert written["method"] == "grid"
    assert written["parameters"]["model.tau"] == {"values": [0.1, 0.2, 0.3]}
    assert written["parameters"]["data.parser"]["values"] == ["rules"]
    assert written["project"] == "atelier"
    assert written["command"] == ["atelier", "fit", "--config=w.config.yaml", "${args}"]
    assert written["parameters"]["data.mask"] == {"value": "in/mask.png"}  # from this folder
    assert written["parameters"]["trainer.max_steps"] == {"value": 2}
    config = yaml.safe_load((tmp_path / "w.config.yaml").read_text())
    assert config["model"]["class_path"] == "lightning_modules.soulstyler.Soulstyler"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nowhere"], "There is no sweep 'nowhere'"),
        (["nowhere.yaml"], "There is no sweep at nowhere.yaml"),
        (["threshold", "--workers", "many"], "--workers is 'many'"),
        (["threshold", "--colour", "red"], "has no option --colour"),
        (["threshold", "--shard", "3/2"], "--shard is '3/2'"),
        (["threshold", "--serial", "--limit", "5"], "--limit ends a worker"),
        (["threshold", "--runs-per-device", "4", "--limit", "5"], "only 1 with --limit"),
        (["threshold", "--runs-per-device", "-1"], "give 1 or more"),
    ],
)
def test_what_a_sweep_cannot_do_is_one_sentence(cli, tmp_path, arguments, words):
    done = cli("sweep", *arguments)
    assert done.returncode == 2
    assert words in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr
