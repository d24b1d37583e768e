"""Ray's cluster, our own or one that somebody has started."""

import socket
import subprocess
import sys
from typing import NamedTuple

import pytest

from datamodules.models.cache import cache_dir
from datamodules.support.errors import AtelierError
from experiments.campaigns.cluster import check, place
from tests.support.cli import assert_refused, process, start, variables
from tests.support.processes import kill_all, kill_below
from tests.support.troubled import TROUBLED
from tests.support.waiting import wait_until


@pytest.fixture(autouse=True)
def no_token(monkeypatch):
    """No variables of a cluster that a sweep of this process has started before."""
    for name in ("RAY_AUTH_TOKEN", "RAY_AUTH_MODE"):
        monkeypatch.delenv(name, raising=False)


def test_ray_keeps_its_files_beside_the_runs_where_its_sockets_fit(tmp_path, monkeypatch):
    short = tmp_path / "runs"
    short.mkdir()
    monkeypatch.setattr("experiments.campaigns.cluster.LONGEST_SOCKET", 1000)
    assert place(short) == short
    monkeypatch.setattr("experiments.campaigns.cluster.LONGEST_SOCKET", 40)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert place(short) == tmp_path
    assert not list(short.iterdir())


def test_an_address_where_nothing_listens_is_refused_at_once(free_port, monkeypatch):
    monkeypatch.setenv("RAY_AUTH_MODE", "disabled")
    with pytest.raises(
        AtelierError, match=f"Nothing listens .*ray start --head --port={free_port}"
    ):
        check(f"127.0.0.1:{free_port}")
    with pytest.raises(AtelierError, match="give HOST:PORT of the head"):
        check("ray://127.0.0.1:10001")
    monkeypatch.setenv("RAY_AUTH_MODE", "token")
    monkeypatch.setenv("HOME", "/nonexistent")
    with pytest.raises(AtelierError, match="no token here; set RAY_AUTH_TOKEN, or"):
        check("auto")


def test_what_listens_and_never_answers_is_no_cluster(cli, sweep, monkeypatch):
    """Ray itself would wait for minutes, and say it in a traceback."""
    monkeypatch.setattr("experiments.campaigns.cluster.STATUS_SECONDS", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = f"127.0.0.1:{listener.getsockname()[1]}"
        done = cli("sweep", sweep({"seed": [0]}), "--address", address, "--no-wandb")
    assert_refused(done, f"What listens at {address} does not answer like a Ray cluster; check the")


@pytest.fixture
def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


class Head(NamedTuple):
    """A Ray cluster of one node with one processor: its address and process id."""

    address: str
    pid: int


@pytest.fixture
def head(tmp_path, free_port):
    """A Ray cluster that asks for a token, the one in the folder `head`."""
    (tmp_path / "head" / ".ray").mkdir(parents=True)
    (tmp_path / "head" / ".ray" / "auth_token").write_text("a" * 64)
    words = ["start", "--head", f"--port={free_port}", "--num-cpus=1", "--include-dashboard=false"]
    command = [sys.executable, "-m", "ray.scripts.scripts", *words, "--block"]
    quick = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_worker_niceness": "0"}
    environment = variables(HOME=str(tmp_path / "head"), **quick)
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as ray:
        for line in ray.stdout:
            if "Ray runtime started" in line:
                break
        yield Head(f"127.0.0.1:{free_port}", ray.pid)
        kill_all(ray.pid)  # a signal to stop would be obeyed after half a minute


@pytest.mark.slow
@pytest.mark.xdist_group("ray")
def test_a_cluster_is_joined_with_its_token_alone_and_its_end_is_said(tmp_path, sweep, head):
    """Neither its token nor W&B's, which cannot be reached, is in any file.

    35 s on one core: Ray's start and the imports of its worker.
    """
    generators = ["lightning_modules.generators.pixels.Pixels", f"{TROUBLED}.Hanging"]
    runs, out = sweep({"model.generator": generators}, steps=1), tmp_path / "out"
    words = ["sweep", runs, "--address", head.address, "--out", "out", "--no-evaluate"]

    def at(home):
        return {"HOME": str(tmp_path / home), "ATELIER_CACHE": str(cache_dir()), "cwd": tmp_path}

    assert_refused(process(*words, **at("nowhere")), "asks for its token; set RAY_AUTH_TOKEN, or")
    (tmp_path / "other" / ".ray").mkdir(parents=True)
    (tmp_path / "other" / ".ray" / "auth_token").write_text("b" * 64)
    assert_refused(process(*words, **at("other")), "refuses our token; set RAY_AUTH_TOKEN, or")
    wandb = {"WANDB_BASE_URL": "http://127.0.0.1:9", "WANDB_API_KEY": "k" * 40}
    driver = start(*words, **at("head"), **wandb)
    wait_until(lambda: list(out.rglob("result.json")), "no run is done here", 300)
    kill_below(head.pid, "gcs_server")
    messages = "".join(driver.communicate(timeout=120))
    assert driver.returncode == 2
    assert "W&B cannot be reached; the runs are logged offline" in messages
    (log,) = out.glob("runs/*/wandb/offline-run-*")
    assert log.name.endswith(log.parents[1].name)  # its id is the job's
    last = messages.splitlines()[-1]
    assert f"atelier: The Ray cluster at {head.address} is gone" in last
    assert "open runs: 1; the same command goes on with them" in last
    assert not list(out.rglob("failure.json"))
    files = [file.read_bytes() for file in out.rglob("*") if file.is_file()]
    assert not any(secret * 40 in file for secret in (b"a", b"k") for file in files)
    assert "a" * 64 not in messages
    assert "k" * 40 not in messages
