"""Ray's cluster, our own or one that somebody has started."""

import socket
import subprocess
import sys

import pytest

from datamodules.models.cache import cache_dir
from datamodules.support.errors import AtelierError
from experiments.campaigns.cluster import check, place
from tests.support.cli import assert_refused, process, variables


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


@pytest.fixture
def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


@pytest.fixture
def head(tmp_path, free_port):
    """The address of a Ray cluster that asks for a token, the one in the folder `head`."""
    (tmp_path / "head" / ".ray").mkdir(parents=True)
    (tmp_path / "head" / ".ray" / "auth_token").write_text("a" * 64)
    words = ["start", "--head", f"--port={free_port}", "--num-cpus=1", "--include-dashboard=false"]
    command = [sys.executable, "-m", "ray.scripts.scripts", *words, "--block"]
    environment = variables(HOME=str(tmp_path / "head"), RAY_USAGE_STATS_ENABLED="0")
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as ray:
        for line in ray.stdout:
            if "Ray runtime started" in line:
                break
        yield f"127.0.0.1:{free_port}"
        ray.terminate()


@pytest.mark.slow
@pytest.mark.xdist_group("ray")
def test_a_cluster_with_a_token_is_joined_with_it_alone(tmp_path, sweep, head):
    """35 s on one core: Ray's start and the imports of its worker."""
    runs = sweep({"seed": [0]}, steps=1)
    words = ["sweep", runs, "--address", head, "--out", "out", "--no-wandb", "--no-evaluate"]

    def joined(home):
        return process(
            *words, cwd=tmp_path, HOME=str(tmp_path / home), ATELIER_CACHE=str(cache_dir())
        )

    assert_refused(joined("nowhere"), "asks for its token; set RAY_AUTH_TOKEN, or")
    (tmp_path / "other" / ".ray").mkdir(parents=True)
    (tmp_path / "other" / ".ray" / "auth_token").write_text("b" * 64)
    assert_refused(joined("other"), "refuses our token; set RAY_AUTH_TOKEN, or")
    done = joined("head")
    assert "1 done, 0 skipped, 0 failed" in done.stderr, done.stderr
    assert list((tmp_path / "out").rglob("result.json"))  # here, not where the head started
    files = [file for file in (tmp_path / "out").rglob("*") if file.is_file()]
    assert not any(b"a" * 64 in file.read_bytes() for file in files)
    assert "a" * 64 not in done.stderr + done.stdout
