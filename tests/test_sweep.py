"""Sweeps: what is made, once, whatever dies on the way."""

import json
import os
import resource
import signal
import subprocess
import time

import numpy as np
import pytest
import yaml
from PIL import Image

from datamodules.support.errors import AtelierError
from experiments.campaigns.campaign import make_all
from experiments.campaigns.grid import Sweep, combinations, read_sweep, sweep_jobs, values_of
from experiments.campaigns.job import Job
from experiments.campaigns.making import failed_tries, make_jobs
from experiments.campaigns.plan import make_job, shard
from experiments.campaigns.workers import SERIAL, Workers, part
from experiments.run.registry import SWEEPS
from tests.support.cli import command, process, variables
from tests.support.finished import GRID
from tests.support.sweeps import PRODUCTS, products, products_there
from tests.support.troubled import TROUBLED
from tests.support.waiting import wait_until

# --- what is to be made


def test_a_grid_is_every_combination_in_order():
    grid = {"model.tau": [0.1, 0.2], "seed": [1, 2]}
    sweep = Sweep(name="x", grid=grid, method=["a", "b"])
    found = combinations(sweep)
    assert len(found) == 8
    assert found[0] == {"model.tau": 0.1, "seed": 1, "method": "a"}
    assert found[-1] == {"model.tau": 0.2, "seed": 2, "method": "b"}
    assert values_of("t", {"from": 0.1, "to": 0.95, "step": 0.05}) == pytest.approx(
        np.arange(0.1, 0.951, 0.05)
    )


def test_a_random_sample_is_the_same_for_the_same_seed():
    over = {"model.tau": {"low": 0.1, "high": 0.9}, "model.optimizer.lr": {"low": 1e-4, "high": 1}}
    over["model.optimizer.lr"]["log"] = True
    over["style"] = ["a", "b"]
    sweep, other = (
        Sweep(name="x", random={"count": 200, "seed": seed, "over": over}) for seed in (3, 4)
    )
    found = combinations(sweep)
    assert found == combinations(sweep)
    assert found != combinations(other)
    assert all(0.1 <= one["model.tau"] <= 0.9 for one in found)
    rates = sorted(one["model.optimizer.lr"] for one in found)
    assert 0.003 < rates[100] < 0.03  # the median of a log-uniform draw
    assert {one["style"] for one in found} == {"a", "b"}


@pytest.mark.parametrize("path", sorted(SWEEPS.glob("*.yaml")), ids=lambda path: path.stem)
def test_shipped_sweeps_can_be_made(path):
    jobs = sweep_jobs(read_sweep(path.stem), {}, wandb=False)
    assert len({job.id for job in jobs}) == len(jobs)
    assert len(jobs) == {"threshold": 36, "llm": 9}[path.stem]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a: [", "the sweep cannot be read"),
        ("title: x", "neither grid nor random"),
        ("grid: {a: 1}\ncolour: red", "there is no key 'colour', only title"),
        ("grid: {model.tau: 0.5}", "model.tau in the sweep's grid is 0.5"),
        ("grid: {model.tau: {from: 1, to: 0, step: 1}}", "model.tau in the sweep's grid"),
        ("grid: {tau: [1]}", "'tau' is no setting"),
        ("grid: {parser: [llama]}", "There is no parser 'llama'"),
        ("method: soulstiler\ngrid: {seed: [1]}", "did you mean soulstyler"),
        ("random: {over: {model.tau: 3}}", "model.tau in the sweep's random.over"),
        ("random: {often: 3}", "random: there is no key 'often', only count, seed, over"),
        ("grid: {seed: {from: 1, to: 1000000, step: 1}}", "100000 are the most"),
    ],
)
def test_a_sweep_that_cannot_be_is_one_sentence(tmp_path, text, words):
    (tmp_path / "s.yaml").write_text(text)
    with pytest.raises(AtelierError, match=words):
        sweep_jobs(read_sweep(str(tmp_path / "s.yaml")), {}, wandb=False)


def test_a_job_is_what_determines_its_pictures(tmp_path, mask):
    def job(wandb=False, **settings):
        given = {"image": "skimage:chelsea", "mask": str(mask), "style": "fire", **settings}
        return make_job(given, {"any": "label"}, "set", wandb)

    copy = tmp_path / "elsewhere.png"
    copy.write_bytes(mask.read_bytes())
    assert job().id == job(wandb=True).id == job(mask=str(copy)).id
    assert job(**{"model.tau": 0.1, "seed": 1}).id == job(**{"seed": 1, "model.tau": 0.1}).id
    Image.new("L", (451, 300), 255).save(copy)
    others = [job(), job(mask=str(copy)), job(seed=1), job(**{"model.tau": 0.1}), job(style="ice")]
    assert len({one.id for one in others}) == len(others)


def test_shards_are_parts_of_the_whole():
    jobs = [Job({}, {"seed_everything": k}) for k in range(7)]
    parts = [shard(jobs, f"{k}/3") for k in (1, 2, 3)]
    assert sorted((job for part in parts for job in part), key=jobs.index) == jobs
    assert shard(jobs, None) == jobs
    for given in ("0/3", "4/3", "1", "a/b"):
        with pytest.raises(AtelierError, match="--shard"):
            shard(jobs, given)


def test_a_worker_gets_its_part_of_the_machine():
    assert [part(8, workers) for workers in (1, 4, 8, 16)] == [8, 2, 1, 0.5]
    assert part(1, 3) == pytest.approx(1 / 3)


# --- making it


def alone(job, root):
    """The outcome of one job."""
    (outcome,) = make_jobs([job], root)
    return outcome


@pytest.mark.slow
def test_failures_are_noted_and_the_others_go_on(tmp_path, sweep):
    """In this process: a bug, too little memory, a full disk, a lock."""
    grid = {"model.generator": [f"{TROUBLED}.{name}" for name in ("Broken", "Greedy")]}
    broken, greedy = sweep_jobs(read_sweep(str(sweep(grid))), {}, wandb=False)
    failed = alone(broken, tmp_path)
    assert (failed.state, failed.tries) == ("failed", 1)
    assert "a bug" in failed.reason
    assert alone(broken, tmp_path).tries == 2
    assert failed_tries(tmp_path / "runs" / broken.id) == 2
    assert broken.state(tmp_path) == "failed"

    assert alone(greedy, tmp_path).state == "done"  # with smaller chunks
    config = yaml.safe_load((tmp_path / "runs" / greedy.id / "config.yaml").read_text())
    assert config["model"]["init_args"]["chunk"] == 4
    assert alone(greedy, tmp_path).state == "skipped"

    plain = sweep_jobs(read_sweep(str(sweep({"seed": [0]}))), {}, wandb=False)[0]
    from filelock import FileLock

    with FileLock(tmp_path / "runs" / f".{plain.id}.lock"):
        assert alone(plain, tmp_path).state == "busy"
    assert alone(plain, tmp_path).state == "done"
    described = json.loads((tmp_path / "runs" / plain.id / "job.json").read_text())
    assert described["labels"] == {
        "method": "soulstyler", "picture": "chelsea", "object": "cat", "style": "fire", "seed": 0,
    }  # fmt: skip
    assert described["command"].startswith("atelier stylize --config ")


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


def test_a_place_that_cannot_be_written_is_said_before_anything_starts(cli, tmp_path, sweep):
    (tmp_path / "out").write_text("in the way")
    done = cli("sweep", sweep({"seed": [0]}), "--out", "out", "--no-wandb")
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert "Cannot write out/runs" in line


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
    """12 runs; three times a worker at work is killed, then the driver, and the sweep goes on."""
    path = sweep({"model.tau": [0.3, 0.5, 0.7], "seed": [0, 1, 2, 3]})
    words = ["sweep", path, "--out", "out", "--workers", 2, "--threads", 1, "--tries", 9]
    words += ["--no-wandb", "--no-evaluate", "--retry-failed"]
    out, finished = tmp_path / "out", {}
    for _ in range(3):
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
    assert len(products(undisturbed)) == 12 * len(PRODUCTS)
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


# --- the command


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


def test_a_sweep_for_wandb_names_every_setting(cli, tmp_path, sweep):
    path = sweep({"model.tau": {"from": 0.1, "to": 0.3, "step": 0.1}, "parser": ["rules"]})
    done = cli("sweep", path, "--export-wandb", "w.yaml")
    assert done.returncode == 0, done.stderr
    written = yaml.safe_load((tmp_path / "w.yaml").read_text())
    assert written["method"] == "grid"
    assert written["parameters"]["model.tau"] == {"values": [0.1, 0.2, 0.3]}
    assert written["parameters"]["data.parser"]["values"] == ["rules"]
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
