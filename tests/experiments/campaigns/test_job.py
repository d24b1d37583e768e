"""Jobs: identity, shards and failures."""

import json
import socket

import pytest
import yaml
from PIL import Image

from datamodules.run_folder import LOCK
from datamodules.support.errors import AtelierError
from datamodules.support.files import make_folder
from datamodules.support.locks import hold
from experiments.campaigns.grid import read_sweep, sweep_jobs
from experiments.campaigns.job import Job
from experiments.campaigns.making import failed_tries, make_jobs
from experiments.campaigns.plan import make_job, shard
from tests.support.troubled import TROUBLED


def test_a_job_is_what_determines_its_pictures(tmp_path, mask):
    def job(wandb=False, **settings):
        values = {"image": "skimage:chelsea", "mask": str(mask), "style": "fire", **settings}
        return make_job(values, {"any": "label"}, "set", wandb)

    copy = tmp_path / "elsewhere.png"
    copy.write_bytes(mask.read_bytes())
    assert job().id == job(wandb=True).id == job(mask=str(copy)).id
    assert job(**{"model.tau": 0.1, "seed": 1}).id == job(**{"seed": 1, "model.tau": 0.1}).id
    Image.new("L", (451, 300), 255).save(copy)
    others = [job(), job(mask=str(copy)), job(seed=1), job(**{"model.tau": 0.1}), job(style="ice")]
    assert len({one.id for one in others}) == len(others)


def test_the_record_of_a_job_says_where_it_is_made_and_its_name_does_not(tmp_path, monkeypatch):
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    settings = {"image": "skimage:chelsea", "style": "fire"}
    here = make_job(settings, {}, "set", wandb=False)
    assert (here.record(tmp_path).host, here.record(tmp_path).gpus) == (socket.gethostname(), "")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3")
    monkeypatch.setattr(socket, "gethostname", lambda: "h2")
    there = make_job(settings, {}, "set", wandb=False)
    assert (there.record(tmp_path).host, there.record(tmp_path).gpus) == ("h2", "3")
    assert there.id == here.id


def test_shards_are_parts_of_the_whole():
    jobs = [Job({}, {"seed_everything": k}) for k in range(7)]
    parts = [shard(jobs, f"{k}/3") for k in (1, 2, 3)]
    assert sorted((job for part in parts for job in part), key=jobs.index) == jobs
    assert shard(jobs, None) == jobs
    for part in ("0/3", "4/3", "1", "a/b"):
        with pytest.raises(AtelierError, match="--shard"):
            shard(jobs, part)


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
    make_folder(tmp_path / "runs" / plain.id)
    with hold(tmp_path / "runs" / plain.id / LOCK):
        assert alone(plain, tmp_path).state == "busy"
    assert alone(plain, tmp_path).state == "done"
    described = json.loads((tmp_path / "runs" / plain.id / "job.json").read_text())
    assert described["labels"] == {
        "method": "soulstyler", "picture": "chelsea", "object": "cat", "style": "fire", "seed": 0,
    }  # fmt: skip
    assert described["command"].startswith("atelier stylize --config ")
