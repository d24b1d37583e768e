"""Sweeps: what is made, once, whatever dies on the way."""

import json
import multiprocessing
import re
import resource
import signal
import subprocess
from contextlib import contextmanager

import pytest

from experiments.campaigns.campaign import make_all
from experiments.campaigns.grid import read_sweep, sweep_jobs
from experiments.campaigns.making import after_death, make_jobs
from experiments.campaigns.plan import shard
from experiments.campaigns.workers import SERIAL, Workers
from tests.support.cli import command, variables
from tests.support.finished import GRID
from tests.support.processes import kill_below
from tests.support.sweeps import PRODUCTS, products, products_there, results
from tests.support.troubled import TROUBLED
from tests.support.waiting import wait_until

# Ray's workers leave the processor to others by default, and Ray joins the cluster at RAY_ADDRESS.
OWN_RAY = {"RAY_worker_niceness": "0", "RAY_ADDRESS": "192.0.2.1:6379"}


@contextmanager
def limited_files():
    """No file of more than 6 kB: to a program, a disk that is full. Python ignores its signal."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (6000, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.slow
def test_a_full_disk_is_said_and_loses_nothing(cli, tmp_path, sweep):
    plain = ["--serial", "--out", "out", "--no-wandb", "--no-evaluate"]
    done = cli("sweep", sweep({"seed": [0]}), *plain)
    assert done.returncode == 0, done.stderr
    assert "1 done, 0 skipped, 0 failed" in done.stderr.splitlines()[-1]
    before = products(tmp_path / "out")
    both = sweep({"seed": [0, 1]})
    with limited_files():
        done = cli("sweep", both, *plain)
    assert done.returncode == 2
    assert "0 done, 1 skipped, 1 failed" in done.stderr.splitlines()[-1]
    assert "Cannot write" in done.stderr
    after = {k: v for k, v in products_there(tmp_path / "out").items() if k in before}
    assert after == before
    done = cli("sweep", both, *plain, "--retry-failed")
    assert "1 done, 1 skipped, 0 failed" in done.stderr.splitlines()[-1]


@pytest.mark.slow
def test_a_run_past_its_limit_is_ended_and_noted(tmp_path, sweep):
    (job,) = sweep_jobs(
        read_sweep(str(sweep({"model.generator": [f"{TROUBLED}.Hanging"]}))), {}, wandb=False
    )
    worker = multiprocessing.get_context("spawn").Process(
        target=make_jobs, args=([job], tmp_path, 3)
    )
    worker.start()
    worker.join()
    assert worker.exitcode == -signal.SIGALRM
    outcome = after_death(job, tmp_path, 3, RuntimeError())
    assert (outcome.state, outcome.reason) == ("failed", "ran past its limit of 3 s")
    assert job.state(tmp_path) == "failed"


@pytest.mark.slow
@pytest.mark.xdist_group("ray")
def test_workers_that_die_or_are_told_to_stop_are_replaced(tmp_path, sweep):
    """A death is the run's failure after all its tries; a signal to stop never is.

    Three workers one after another, each of which imports everything: 40 s.
    """
    file = tmp_path / "unless"
    file.touch()
    once = {"unless_gone": str(file), "number": signal.SIGTERM.value}
    stops = json.dumps({"class_path": f"{TROUBLED}.Dying", "init_args": once})
    dies, fine = f"{TROUBLED}.Dying", "lightning_modules.generators.pixels.Pixels"
    jobs = sweep_jobs(
        read_sweep(str(sweep({"model.generator": [dies, stops, fine]}))), {}, wandb=False
    )
    with Workers(count=1, threads=1, tries=1).at_work(tmp_path) as make:
        outcomes = {outcome.id: outcome for outcome in make(jobs)}
    assert outcomes[jobs[0].id].reason == "its process died: killed, or out of memory"
    assert [outcomes[job.id].state for job in jobs] == ["failed", "done", "done"]
    assert [job.state(tmp_path) for job in jobs] == ["failed", "done", "done"]


@pytest.mark.slow
def test_shards_make_what_one_process_makes(tmp_path, sweep, finished_sweep):
    jobs = sweep_jobs(read_sweep(str(sweep(GRID))), {}, wandb=False)
    with Workers(SERIAL, threads=1).at_work(tmp_path) as make:
        for k in (1, 2):
            assert {outcome.state for outcome in make(shard(jobs, f"{k}/2"))} == {"done"}
    assert len(products(tmp_path)) == 4 * len(PRODUCTS)
    assert products(tmp_path) == products(finished_sweep.folder)
    with Workers(2).at_work(tmp_path) as make:
        again = make_all(jobs, tmp_path, make)
    assert again == {"done": 0, "skipped": 4, "failed": 0}


@pytest.mark.slow
@pytest.mark.xdist_group("ray")
def test_kill_9_of_anything_loses_and_doubles_nothing(tmp_path, sweep, finished_sweep):
    """12 runs; in the midst of them a worker, the raylet, the driver and the GCS are killed.

    The driver starts Ray again once by itself, and the same command goes on. 100 s: four times
    Ray, and six workers that import everything.
    """
    path = sweep(GRID | {"seed": [0, 1, 2, 3, 4, 5]})
    words = ["sweep", path, "--out", "out", "--threads", 1, "--no-wandb", "--no-evaluate"]
    out, finished = tmp_path / "out", {}

    def start(workers):
        options = {"cwd": tmp_path, "env": variables(**OWN_RAY), "stderr": subprocess.PIPE}
        return subprocess.Popen(command(*words, "--workers", workers), text=True, **options)

    def wait_for(number):
        """Wait until so many runs are done; those that were done have not been made again."""
        wait_until(lambda: len(results(out)) >= number, f"fewer than {number} runs done", 300)
        now = results(out)
        assert finished.items() <= now.items()
        finished.update(now)

    with start(workers=2) as driver:
        for number, process_name in ((1, "ray::_make"), (3, "raylet/raylet")):
            wait_for(number)
            kill_below(driver.pid, process_name)
        wait_for(6)
        driver.kill()
        assert "Ray has died" in driver.stderr.read()
    assert not list(out.rglob("failure.json"))
    with start(workers=1) as driver:
        wait_for(8)
        kill_below(driver.pid, "gcs_server")
        message = driver.stderr.read()  # of Ray's death, unless all runs were handed out already
    assert driver.returncode == 0, message
    assert re.search(r"\d done, \d skipped, 0 failed", message.splitlines()[-1])
    wait_for(12)
    assert not list(out.glob(".ray-*"))  # of the driver that was killed neither
    assert len(products(out)) == 12 * len(PRODUCTS)
    assert products(finished_sweep.folder).items() <= products(out).items()  # the same bytes
