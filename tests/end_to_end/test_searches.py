"""Searches by processes that are killed."""

import json
import subprocess

import pytest

from datamodules.campaign_folder import RUNS
from evaluation.tables.search import read_search
from tests.support.cli import command, process, variables
from tests.support.sweeps import products_there
from tests.support.waiting import wait_until

pytest.importorskip("optuna", reason="needs the extra [search]")
SEARCH = {"method": "asha", "over": {"model.tau": [0.3, 0.7], "seed": {"low": 0, "high": 99}}}
SEARCH |= {"metric": "object_change", "direction": "max", "trials": 4, "round": 2}
SEARCH["halving"] = {"factor": 2, "rungs": 1}


@pytest.mark.slow  # ten runs in three processes: 50 s
def test_kill_9_in_the_third_run_changes_no_trial_of_a_search(tmp_path, sweep):
    path = sweep({})
    path.write_text(path.read_text().replace("grid: {}", f"search: {json.dumps(SEARCH)}"))
    words = ["sweep", path, "--serial", "--threads=1", "--no-wandb", "--metrics=change"]
    words += ["--no-evaluate"]
    killed = [*words, "--out=killed"]
    with (tmp_path / "log").open("w") as log:
        options = {"cwd": tmp_path, "env": variables(), "stdout": log, "stderr": log}
        driver = subprocess.Popen(command(*killed), **options)
    runs = tmp_path / "killed" / RUNS
    wait_until(lambda: len(list(runs.glob("*/config.yaml"))) == 3, "no third run has begun", 300)
    driver.kill()
    driver.wait()
    done = process(*killed, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    whole = process(*words, "--out=whole", cwd=tmp_path)
    assert whole.returncode == 0, whole.stderr
    assert read_search(tmp_path / "killed") == read_search(tmp_path / "whole")
    assert products_there(tmp_path / "killed") == products_there(tmp_path / "whole")
    assert whole.stdout == done.stdout
