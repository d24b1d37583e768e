"""Runs of a sweep in groups that are optimised together."""

import json
import subprocess
import sys

import pytest
import yaml

from experiments.campaigns.dispatch import variables
from experiments.campaigns.grid import read_sweep, sweep_jobs
from experiments.campaigns.making import make_jobs
from experiments.campaigns.workers import SERIAL, Workers
from tests.support.cli import ROOT
from tests.support.finished import GRID
from tests.support.sweeps import products


def test_jobs_are_grouped_by_what_must_be_alike(tmp_path, sweep):
    def groups(grid, workers=1, gpu=False, **options):
        jobs = sweep_jobs(read_sweep(str(sweep(grid))), {}, wandb=False)
        parts = Workers(**options).groups(jobs, workers, gpu)
        assert sorted(job.id for group in parts for job in group) == sorted(j.id for j in jobs)
        return [len(group) for group in parts]

    taus = {"model.tau": [0.1, 0.2, 0.3, 0.4, 0.5, 0.6]}
    assert groups(taus) == [1] * 6  # on a CPU
    assert groups(taus | {"seed": [0, 1]}, gpu=True) == [8, 4]
    assert groups(taus, gpu=True, limit=60) == [1] * 6
    assert groups(taus, workers=3, gpu=True) == [2, 2, 2]  # a group for every worker
    assert groups(taus, runs_per_device=5) == [5, 1]
    sizes = {"size": [64, 96], "seed": [0, 1, 2]}
    assert groups(sizes, runs_per_device=5) == [3, 3]
    assert groups({"method": ["clipstyler", "soulstyler"]}, runs_per_device=5) == [1, 1]


def test_runs_are_planned_and_handed_out_without_torch(sweep):
    """It takes Ray's first worker 10 s to import it; what starts that worker need not wait."""
    code = (
        "import sys\n"
        "from experiments.campaigns import dispatch\n"
        "from experiments.campaigns.grid import read_sweep, sweep_jobs\n"
        "from experiments.campaigns.workers import Workers\n"
        "jobs = sweep_jobs(read_sweep(sys.argv[1]), {}, wandb=False)\n"
        "print(len(Workers().groups(jobs, 1, gpu=True)), 'torch' in sys.modules)"
    )
    words = [sys.executable, "-c", code, str(sweep({"seed": [0, 1]}))]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True)
    assert done.stdout == "1 False\n", done.stderr


@pytest.mark.slow
def test_a_sweep_of_runs_together_leaves_what_single_runs_leave(tmp_path, sweep, finished_sweep):
    jobs = sweep_jobs(read_sweep(str(sweep(GRID))), {}, wandb=False)
    alone, together = finished_sweep.folder, tmp_path / "together"
    with Workers(SERIAL, threads=1, runs_per_device=3).at_work(together) as make:
        assert [outcome.state for outcome in make(jobs)] == ["done"] * 4
    assert products(together) == products(alone)
    results = [json.loads((together / "runs" / j.id / "result.json").read_text()) for j in jobs]
    assert sorted(result["runs_together"] for result in results) == [1, 3, 3, 3]
    assert {o.state for o in make_jobs(jobs, together)} == {"skipped"}


@pytest.mark.slow
def test_workers_ask_the_same_servers_of_weights(monkeypatch):
    """But the access token is no part of what Ray stores."""
    monkeypatch.setenv("HF_ENDPOINT", "https://mirror.example")
    monkeypatch.setenv("ATELIER_TORCHVISION_URL", "https://mirror.example/torch")
    monkeypatch.setenv("HF_TOKEN", "hf_planted")
    theirs = variables(threads=1)
    assert theirs["HF_ENDPOINT"] == "https://mirror.example"
    assert theirs["ATELIER_TORCHVISION_URL"] == "https://mirror.example/torch"
    assert "HF_TOKEN" not in theirs


def test_one_that_fails_leaves_the_others_alone(tmp_path, sweep, monkeypatch):
    """10 s: three runs with W&B, optimised jointly, and one alone."""
    monkeypatch.setenv("WANDB_MODE", "offline")  # and as it was, after this
    grid = {"model.optimizer.lr": [1e-3, 1e30, 1e-2], "image": ["skimage:chelsea"]}
    diverges = sweep_jobs(read_sweep(str(sweep(grid))), {}, wandb=True)
    unset = sweep_jobs(
        read_sweep(str(sweep({"mask": [str(tmp_path / "none.png")]}))), {}, wandb=False
    )
    outcomes = {o.id: o for o in make_jobs([*diverges, *unset], tmp_path, threads=1)}
    assert [outcomes[job.id].state for job in diverges] == ["done", "failed", "done"]
    assert "not finite" in outcomes[diverges[1].id].reason
    assert "none.png" in outcomes[unset[0].id].reason
    for job in (diverges[0], diverges[2]):  # logged to W&B, offline, as a whole
        (log,) = (tmp_path / "runs" / job.id / "wandb").glob("offline-run-*")
        assert log.name.endswith(job.id)
        config = yaml.safe_load((tmp_path / "runs" / job.id / "config.yaml").read_text())
        assert config["wandb"]["id"] == job.id
