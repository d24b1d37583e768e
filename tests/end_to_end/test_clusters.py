"""Sweeps on several hosts: a Ray cluster that loses some of them, and SLURM."""

import re
import shutil
import subprocess
import sys

import pytest

from experiments.campaigns.grid import read_sweep, sweep_jobs
from experiments.campaigns.plan import shard
from tests.support.cli import command, variables
from tests.support.finished import GRID
from tests.support.hosts import hosts, needs_hosts
from tests.support.processes import below
from tests.support.slurm import needs_slurm, slurm
from tests.support.sweeps import PRODUCTS, products, results
from tests.support.waiting import wait_until

PORT = 6379
OPTIONS = ["--no-wandb", "--no-evaluate", "--threads", 1]
# The GCS of the test's head gives a host up after some three seconds instead of a minute.
QUICK = {"RAY_worker_niceness": "0", "RAY_USAGE_STATS_ENABLED": "0"}
QUICK |= {f"RAY_health_check_{what}": str(1000) for what in ("period_ms", "timeout_ms")}
QUICK |= {"RAY_health_check_failure_threshold": "3", "RAY_health_check_initial_delay_ms": "1000"}
TOKEN = variables(RAY_AUTH_MODE="token", RAY_AUTH_TOKEN="t" * 64, **QUICK)


def at_work(node):
    """Whether a node of Ray makes a run now."""
    return any("ray::_make" in words for words in below(node.pid).values())


def start_ray(host, *words):
    """Start a node of Ray on a host, which stays until its host ends."""
    start = [sys.executable, "-m", "ray.scripts.scripts", "start", "--num-cpus=1", "--block"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    return host.start(*start, "--object-store-memory=80000000", *words, env=TOKEN, **pipes)


def wait_for_ray(*nodes):
    """Wait until nodes have joined their cluster."""
    for node in nodes:
        assert any("Ray runtime started" in line for line in node.stdout)


@needs_hosts
@pytest.mark.slow
@pytest.mark.xdist_group("ray")
def test_three_hosts_of_which_one_dies_and_one_is_cut_off_make_every_run_once(
    tmp_path, sweep, finished_sweep
):
    """60 s: three nodes of Ray, and three workers that import everything."""
    path, out = sweep(GRID | {"seed": [0, 1, 2, 3]}), tmp_path / "out"
    with hosts(3, tmp_path) as (first, second, third):
        head = f"{first.address}:{PORT}"
        wait_for_ray(start_ray(first, "--head", f"--port={PORT}", "--include-dashboard=false"))
        nodes = [start_ray(host, f"--address={head}") for host in (second, third)]
        wait_for_ray(*nodes)
        words = command("sweep", path, "--address", head, "--out", "out", *OPTIONS)
        options = {"cwd": tmp_path, "env": TOKEN, "stderr": subprocess.PIPE}
        driver = first.start(*words, **options)
        for node in nodes:
            wait_until(lambda node=node: at_work(node), "a node makes no run", 240, every=0.5)
        second.kill()
        wait_until(lambda: len(results(out)) >= 4, "the sweep does not go on", 240)
        before = results(out)
        third.cut()
        _, message = driver.communicate(timeout=240)
        assert driver.returncode == 0, message
        assert before.items() <= results(out).items()
    assert re.search(r"8 done, 0 skipped, 0 failed", message.splitlines()[-1])
    made = products(out)
    assert len(made) == 8 * len(PRODUCTS)
    assert products(finished_sweep.folder).items() <= made.items()  # the same bytes


@needs_hosts
@needs_slurm
@pytest.mark.slow
@pytest.mark.xdist_group("ray")
def test_both_recipes_for_slurm_make_a_sweep_and_one_goes_on_after_its_time(
    tmp_path, sweep, finished_sweep
):
    """Two of the four runs are there before. 100 s: twice Ray, and workers that import everything.

    SLURM ends a job, which goes on in its queue, as soon as a worker has begun a run.
    """
    path, done = sweep(GRID), sorted((finished_sweep.folder / "runs").iterdir())[:2]
    with slurm(2, tmp_path / "slurm", RAY_worker_niceness="0") as cluster:
        ray, array = tmp_path / "ray", tmp_path / "array"
        for run in done:
            shutil.copytree(run, ray / "runs" / run.name)
        before = results(ray)
        nodes = ["--nodes=2", "--cpus-per-task=1"]
        job = cluster.submit(nodes, "ray.sbatch", path, "--out", ray, *OPTIONS)
        wait_until(lambda: len(list(ray.glob("runs/*/job.json"))) > 2, "no run on SLURM", 240)
        # As SLURM does it 120 s before the end of the time.
        cluster("scancel", "--signal=USR1", "--batch", job)
        cluster.wait(job)
        log = (tmp_path / f"atelier-{job}.log").read_text()
        assert "2 done, 2 skipped, 0 failed" in log
        assert " Restarts=1 " in cluster("scontrol", "show", "job", job)
        assert before.items() <= results(ray).items()
        shutil.copytree(ray, array)
        jobs = sweep_jobs(read_sweep(str(path)), {}, wandb=False)
        for job in shard(jobs, "1/2"):  # so that the second task finds nothing to do
            shutil.rmtree(job.folder(array))
        tasks = ["--array=1-2", "--cpus-per-task=1"]
        job = cluster.submit(tasks, "array.sbatch", path, "--out", array, "--serial", *OPTIONS[:1])
        cluster.wait(job)
        log = (tmp_path / f"atelier-{job}.log").read_text()  # of both tasks
        assert "2 done, 0 skipped" in log and "0 done, 2 skipped" in log
    assert products(ray) == products(array) == products(finished_sweep.folder)
