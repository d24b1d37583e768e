"""Sweeps on several hosts: a Ray cluster that loses some of them, and SLURM."""

import json
import re
import shutil
import subprocess
import sys
from functools import partial

import pytest

from datamodules.run_folder import RunFolder
from experiments.campaigns.grid import read_sweep, sweep_jobs
from experiments.campaigns.plan import shard
from tests.support.cli import command, variables
from tests.support.finished import GRID
from tests.support.hosts import hosts, needs_hosts
from tests.support.processes import at_work
from tests.support.slurm import needs_slurm, slurm
from tests.support.sweeps import PRODUCTS, products, results, write_sweep
from tests.support.troubled import TROUBLED
from tests.support.waiting import wait_until

PORT = 6379
OPTIONS = ["--no-wandb", "--no-evaluate", "--threads", 1]
# The GCS of the test's head gives a host up after some three seconds instead of a minute.
QUICK = {"RAY_worker_niceness": "0", "RAY_USAGE_STATS_ENABLED": "0"}
QUICK |= {f"RAY_health_check_{what}": str(1000) for what in ("period_ms", "timeout_ms")}
QUICK |= {"RAY_health_check_failure_threshold": "3", "RAY_health_check_initial_delay_ms": "1000"}
PAINTER = "lightning_modules.generators.painter.Painter"  # the default
TOKEN = variables(RAY_AUTH_MODE="token", RAY_AUTH_TOKEN="t" * 64, **QUICK)


def lines_of(file):
    """The number of lines of a file, 0 if it is not there."""
    return file.read_text().count("\n") if file.exists() else 0


def let_ray_fail_once(folder):
    """Let the first start of Ray on each host fail, as one does that takes over 30 s."""
    (folder / "bin").mkdir()
    program = folder / "bin" / "ray"
    program.write_text(
        "#!/usr/bin/env bash\n"
        f'if [ "$1" = start ] && mkdir "{folder}/failed-$(hostname)" 2>/dev/null; then exit 1; fi\n'
        f'exec {sys.executable} -m ray.scripts.scripts "$@"\n'
    )
    program.chmod(0o755)


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
@pytest.mark.xdist_group("slurm")  # it waits more than it works
def test_both_recipes_for_slurm_make_a_sweep_and_one_goes_on_after_its_time(
    tmp_path, mask, finished_sweep
):
    """Two of the runs are there before. 100 s: twice Ray, and workers that import everything.

    A run on each node waits until SLURM ends their job: it looks at times every 30 s, and warns
    120 s before the limit. Meanwhile the array is made.
    """
    notes, gate, plain = tmp_path / "notes", tmp_path / "gate", tmp_path / "plain"
    ray, array = tmp_path / "ray", tmp_path / "array"
    own = {"folder": str(tmp_path)}
    waiting = json.dumps({"class_path": f"{TROUBLED}.Waiting", "init_args": own})
    path = write_sweep(tmp_path, mask, {"model.generator": [PAINTER, waiting]} | GRID)
    for run in sorted((finished_sweep.folder / "runs").iterdir())[:2]:
        shutil.copytree(run, ray / "runs" / run.name)
    let_ray_fail_once(tmp_path)
    with slurm(2, tmp_path / "slurm", RAY_worker_niceness="0") as cluster:
        nodes = ["--nodes=2", "--cpus-per-task=1"]
        job = cluster.submit(nodes, "ray.sbatch", path, "--out", ray, *OPTIONS)
        plain.mkdir()
        path = write_sweep(plain, mask, GRID)
        shutil.copytree(finished_sweep.folder, array)
        for each in shard(sweep_jobs(read_sweep(str(path)), {}, wandb=False), "1/2"):
            shutil.rmtree(each.folder(array))  # the second task has nothing to do
        wait_until(lambda: lines_of(notes) == 2, "not all nodes make a run", 240)
        before, begun = results(ray), [RunFolder(run) for run in (ray / "runs").iterdir()]
        assert {run.job.host for run in begun if not run.finished} == {"h1", "h2"}
        cluster("scontrol", "update", f"JobId={job}", "EndTime=now+100")
        tasks = ["--array=1-2", "--cpus-per-task=1"]
        words = ["--out", array, "--serial", *OPTIONS[:1]]
        second = cluster.submit(tasks, "array.sbatch", path, *words)
        restarted = partial(cluster, "scontrol", "show", "job", job)
        wait_until(lambda: " Restarts=1 " in restarted(), "its time does not end", 90, every=1)
        # SLURM has rounded up to minutes, and would warn half a minute after the second start.
        cluster("scontrol", "update", f"JobId={job}", "TimeLimit=60")
        gate.touch()
        cluster.wait(second)
        cluster.wait(job)
    log = (tmp_path / f"atelier-{job}.log").read_text()
    assert "4 done, 4 skipped, 0 failed" in log
    assert len(before) == 4 and before.items() <= results(ray).items()
    log = (tmp_path / f"atelier-{second}.log").read_text()  # of both tasks
    assert "2 done, 0 skipped" in log and "0 done, 2 skipped" in log
    expected = products(finished_sweep.folder)
    assert expected == products(array)
    assert expected.items() <= products(ray).items()
