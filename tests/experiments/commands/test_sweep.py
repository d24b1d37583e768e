"""`atelier sweep`."""

import shutil

import pytest
import yaml

from tests.support.sweeps import PRODUCTS, products, results, write_sweep

SERIAL = ["--serial", "--threads=1", "--out=sweep", "--no-wandb", "--no-evaluate"]


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
    exported = yaml.safe_load((tmp_path / "w.yaml").read_text())
    assert exported["method"] == "grid"
    assert exported["parameters"]["model.tau"] == {"values": [0.1, 0.2, 0.3]}
    assert exported["parameters"]["data.parser"]["values"] == ["rules"]
    assert exported["project"] == "atelier"
    assert exported["command"] == ["atelier", "fit", "--config=w.config.yaml", "${args}"]
    assert exported["parameters"]["data.mask"] == {"value": "in/mask.png"}  # from this folder
    assert exported["parameters"]["trainer.max_steps"] == {"value": 2}
    config = yaml.safe_load((tmp_path / "w.config.yaml").read_text())
    assert config["model"]["class_path"] == "lightning_modules.soulstyler.Soulstyler"


def test_force_makes_the_finished_runs_of_the_sweep_again(cli, tmp_path, sweep, finished_sweep):
    shutil.copytree(finished_sweep.folder, tmp_path / "sweep")
    before, times = products(tmp_path / "sweep"), results(tmp_path / "sweep")
    path = sweep({"model.tau": [0.3], "seed": [1]})
    done = cli("sweep", path, *SERIAL)
    assert done.stderr == "sweep: 0 done, 1 skipped, 0 failed\n"
    assert results(tmp_path / "sweep") == times
    done = cli("sweep", path, *SERIAL, "--force")
    assert done.returncode == 0, done.stderr
    assert done.stderr.splitlines()[-1] == "sweep: 1 done, 0 skipped, 0 failed"
    again = [file for file, time in results(tmp_path / "sweep").items() if time != times[file]]
    assert len(again) == 1
    assert products(tmp_path / "sweep") == before


def test_only_missing_runs_are_made_after_a_change_of_code(
    cli, tmp_path, sweep, finished_sweep, monkeypatch
):
    shutil.copytree(finished_sweep.folder, tmp_path / "sweep")
    times = results(tmp_path / "sweep")
    monkeypatch.setattr("experiments.campaigns.job.own_version", lambda: "99.0")
    path = sweep({"model.tau": [0.3], "seed": [1, 2]})
    assert "2 runs: 0 done, 2 to make" in cli("sweep", path, *SERIAL, "--dry-run").stdout
    plan = cli("sweep", path, *SERIAL, "--dry-run", "--only-missing")
    assert "2 runs: 1 done, 1 to make" in plan.stdout
    done = cli("sweep", path, *SERIAL, "--only-missing")
    assert done.returncode == 0, done.stderr
    assert done.stderr.splitlines()[-1] == "sweep: 1 done, 1 skipped, 0 failed"
    assert times.items() < results(tmp_path / "sweep").items()
    assert len(products(tmp_path / "sweep")) == (len(times) + 1) * len(PRODUCTS)
    table = cli("results", "sweep", "--by=seed", "--format=csv").stdout.splitlines()
    assert [line.split(",")[0] for line in table[1:]] == ["1", "2"]


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
        (["threshold", "--force", "--only-missing"], "give one"),
    ],
)
def test_what_a_sweep_cannot_do_is_one_sentence(cli, tmp_path, arguments, words):
    done = cli("sweep", *arguments)
    assert done.returncode == 2
    assert words in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr
