"""Sweeps: what is made, once, whatever dies on the way."""

import json
import os
import resource
import signal
import subprocess
import time

import pytest

from experiments.campaigns.campaign import make_all
from experiments.campaigns.grid import read_sweep, sweep_jobs
from experiments.campaigns.plan import shard
from experiments.campaigns.workers import SERIAL, Workers, part
from tests.support.cli import command, process, variables
from tests.support.finished import GRID
from tests.support.sweeps import PRODUCTS, products, products_there
from tests.support.troubled import TROUBLED
from tests.support.waiting import wait_until


def test_a_worker_gets_its_part_of_the_machine():
    assert [part(8, workers) for workers in (1, 4, 8, 16)] == [8, 2, 1, 0.5]
    assert part(1, 3) == pytest.approx(1 / 3)


def limited_files():
    """No file of more than 6 kB: to a program, a disk that is full. Its signal is ignored."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (6000, 6000))


@pytest.mark.slow
def test_a_full_disk_is_said_and_loses_nothing(cli, tmp_path, sweep):
    plain = ["--serial", "--out", "out", "--no-wandb", "--no-evaluate"]
    done = cli("sweep", sweep({"seed": [0]}), *plain)
    assert done.returncode == 0, done.stderr
    assert "1 done, 0 skipped, 0 failed" in done.stderr.splitlines()[-1]
    before = products(tmp_path / "out")
    both = sweep({"seed": [0, 1]})
    done = process("sweep", both, *plain, cwd=tmp_path, preexec_fn=limited_files)
    assert done.returncode == 2
    assert "0 done, 1 skipped, 1 failed" in done.stderr.splitlines()[-1]
    assert "Cannot write" in done.stderr
    after = {k: v for k, v in products_there(tmp_path / "out").items() if k in before}
    assert after == before
    done = cli("sweep", both, *plain, "--retry-failed")
    assert "1 done, 1 skipped, 0 failed" in done.stderr.splitlines()[-1]


@pytest.mark.slow
@pytest.mark.xdist_group("ray")
def test_a_wandb_that_cannot_be_reached_is_said_and_nothing_is_lost(tmp_path, sweep):
    address = {"WANDB_BASE_URL": "http://127.0.0.1:9", "WANDB_API_KEY": "k" * 40}
    words = ["sweep", sweep({"seed": [0]}), "--out", "out", "--no-evaluate"]
    done = process(*words, cwd=tmp_path, **address)
    assert done.returncode == 0, done.stderr
    assert "W&B cannot be reached; the runs are logged offline" in done.stderr
    assert "1 done, 0 skipped, 0 failed" in done.stderr.splitlines()[-1]
    (run,) = (tmp_path / "out" / "runs").glob("*/wandb/offline-run-*")
    assert run.name.endswith(run.parents[1].name)  # its id is the job's
    files = [file for file in (tmp_path / "out").rglob("*") if file.is_file()]
    assert not any(b"k" * 40 in file.read_bytes() for file in files)


@pytest.mark.slow
@pytest.mark.xdist_group("ray")
def test_workers_that_hang_or_die_are_replaced(tmp_path, sweep):
    there = tmp_path / "there"
    there.touch()
    dying = {"class_path": f"{TROUBLED}.Dying", "init_args": {"unless_gone": str(there)}}
    generators = [f"{TROUBLED}.Hanging", f"{TROUBLED}.Dying", json.dumps(dying)]
    path = sweep({"model.generator": [*generators, "lightning_modules.generators.pixels.Pixels"]})
    jobs = sweep_jobs(read_sweep(str(path)), {}, wandb=False)
    hangs, *others = jobs
    (hanging,) = Workers(count=1, limit=15, tries=1, threads=1).run([hangs], tmp_path)
    assert hanging.reason == "ran past its limit of 15 s"
    outcomes = {o.id: o for o in Workers(count=2, threads=1).run(others, tmp_path)}
    dies, dies_once, fine = (outcomes[job.id] for job in others)
    assert dies.reason == "its process died: killed, or out of memory"
    assert (dies_once.state, fine.state) == ("done", "done")
    assert not there.exists()
    assert jobs[0].state(tmp_path) == jobs[1].state(tmp_path) == "failed"


@pytest.mark.slow
@pytest.mark.xdist_group("ray")
def test_two_workers_and_shards_make_what_one_process_makes(tmp_path, sweep, finished_sweep):
    jobs = sweep_jobs(read_sweep(str(sweep(GRID))), {}, wandb=False)
    serial, ray, shards = finished_sweep.folder, tmp_path / "ray", tmp_path / "shards"
    assert {o.state for o in Workers(2, threads=1).run(jobs, ray)} == {"done"}
    for k in (1, 2):
        mine = shard(jobs, f"{k}/2")
        assert {o.state for o in Workers(SERIAL, threads=1).run(mine, shards)} == {"done"}
    assert len(products(serial)) == 4 * len(PRODUCTS)
    assert products(ray) == products(serial)
    assert products(shards) == products(serial)
    again = make_all(jobs, ray, Workers(2), retry=False)
    assert again == {"done": 0, "skipped": 4, "failed": 0}


@pytest.mark.slow
@pytest.mark.xdist_group("ray")
def test_kill_9_of_workers_and_driver_loses_and_doubles_nothing(tmp_path, sweep):
    """8 runs; twice a worker at work is killed, then the driver, and the sweep goes on."""
    path = sweep({"model.tau": [0.3, 0.7], "seed": [0, 1, 2, 3]})
    words = ["sweep", path, "--out", "out", "--workers", 2, "--threads", 1, "--tries", 9]
    words += ["--no-wandb", "--no-evaluate", "--retry-failed"]
    out, finished = tmp_path / "out", {}
    for _ in range(2):
        began = time.time()
        with (tmp_path / "log").open("w") as log:
            options = {"cwd": tmp_path, "env": variables(), "stdout": log, "stderr": log}
            driver = subprocess.Popen(command(*words), **options)
        wait_until(lambda began=began: at_work(out, began), "no worker has begun")
        worker = wait_until(lambda pid=driver.pid: workers_at_work(pid), "no worker is at work")[0]
        os.kill(worker, signal.SIGKILL)
        killed = time.time()
        wait_until(lambda killed=killed: at_work(out, killed), "no worker has gone on")
        driver.kill()
        assert driver.wait() == -signal.SIGKILL  # it was not finished
        for (run, name), content in products_there(out).items():
            if (out / "runs" / run / "result.json").exists():
                json.loads((out / "runs" / run / "result.json").read_text())
                assert finished.setdefault((run, name), content) == content  # made once
    last = process(*words, cwd=tmp_path)
    assert last.returncode == 0, last.stderr
    assert ", 0 failed" in last.stderr.splitlines()[-1]
    undisturbed = tmp_path / "undisturbed"
    jobs = sweep_jobs(read_sweep(str(path)), {}, wandb=False)
    assert {o.state for o in Workers(SERIAL, threads=1).run(jobs, undisturbed)} == {"done"}
    assert len(products(undisturbed)) == 8 * len(PRODUCTS)
    assert products(out) == products(undisturbed)


def at_work(root, since):
    """The jobs that a worker has begun since then and not finished yet."""
    jobs = {file.parent: json.loads(file.read_text()) for file in root.glob("runs/*/job.json")}
    return [
        folder.name
        for folder, job in jobs.items()
        if job["started"] > since and not (folder / "result.json").exists()
    ]


def workers_at_work(driver):
    """The processes below a driver, at any depth, in which Ray's workers make runs."""
    listed = subprocess.run(
        ["ps", "-e", "-o", "pid=,ppid=,args="], capture_output=True, text=True
    ).stdout
    rows = [line.split(None, 2) for line in listed.splitlines()]
    below = {driver}
    for _ in range(5):
        below |= {int(pid) for pid, parent, _ in rows if int(parent) in below}
    return [int(pid) for pid, _, words in rows if int(pid) in below and "ray::_make" in words]
