"""Logging to Weights & Biases: what reaches it, and what never does."""

import csv
import json
import socket
import threading

import pytest
import yaml
from PIL import Image

from datamodules.models.cache import cache_dir
from tests.support.cli import process
from tests.support.finished import SETTINGS
from tests.support.noise_runs import run_folder
from tests.support.wandb_logs import history


def test_a_key_reaches_no_file_and_no_stream(cli, tmp_path, mask):
    """A run that asks a dead endpoint, falls back on the rules, and logs to W&B offline."""
    key = "sk-planted-0123456789"
    endpoint = {"model": "m", "base_url": "http://127.0.0.1:9/v1", "retries": 0}
    parser = {
        "class_path": "datamodules.parsing.api.APIParser",
        "init_args": endpoint | {"fallback": {"class_path": "datamodules.parsing.tree.TreeParser"}},
    }
    result = cli(
        *["stylize", "skimage:chelsea", "Turn the cat to fire", "--mask", mask, "--steps", 1],
        *["--out", "run", *SETTINGS[:-1], f"--data.parser={json.dumps(parser)}"],
        OPENAI_API_KEY=key,
        WANDB_MODE="offline",
    )
    assert result.returncode == 0, result.stderr
    assert "TreeParser" in json.loads((tmp_path / "run/parse.json").read_text())[0]["parser_note"]
    assert key not in result.stdout + result.stderr
    files = [path for path in (tmp_path / "run").rglob("*") if path.is_file()]
    assert any("wandb" in str(path) for path in files)
    assert all(key.encode() not in path.read_bytes() for path in files)


@pytest.mark.slow  # 19 s: a process that imports everything, with W&B
def test_wandb_without_a_key_is_offline_and_connects_to_nothing(tmp_path, mask):
    """Every proxy variable points at a listener that must stay silent."""
    contacts = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.5)
        result = threading.Event()

        def listen():
            while not result.is_set():
                try:
                    connection, _ = listener.accept()
                    contacts.append(connection.recv(200))
                    connection.close()
                except TimeoutError:
                    continue

        thread = threading.Thread(target=listen)
        thread.start()
        proxy = f"http://127.0.0.1:{listener.getsockname()[1]}"
        proxies = {f"{name}_PROXY": proxy for name in ("HTTP", "HTTPS", "ALL")}
        proxies |= {name.lower(): proxy for name in proxies}
        run = process(
            *["stylize", "skimage:chelsea", "--style", "fire", "--mask", mask, *SETTINGS[:-1]],
            *["--steps", 3, "--out", "run", "--run.keep_every=2", "--full-size=128"],
            cwd=tmp_path,
            **{**proxies, "WANDB_API_KEY": "", "HOME": str(tmp_path), "NO_PROXY": ""},
            ORT_DISABLE_TELEMETRY=None,
            ATELIER_CACHE=str(cache_dir()),  # beside the real HOME
        )
        result.set()
        thread.join()
    assert run.returncode == 0, run.stderr
    assert contacts == []
    assert not list(tmp_path.rglob("deviceid"))  # which telemetry would leave in HOME
    offline = list((tmp_path / "run" / "wandb").glob("offline-run-*"))
    assert len(offline) == 1
    (line,) = [line for line in run.stderr.splitlines() if "wandb" in line.lower()]
    assert line == f"W&B      wandb sync run/wandb/{offline[0].name}"
    rows = history(tmp_path / "run")
    with (tmp_path / "run" / "losses.csv").open() as stream:
        losses = list(csv.DictReader(stream))
    steps = [row for row in rows if "total" in row]
    assert [row["trainer/global_step"] for row in steps] == [0, 1, 2]  # the last one, too
    for row, loss in zip(steps, losses, strict=True):
        assert all(row[name] == float(loss[name]) for name in loss if name != "step")
    (way,) = [row for row in rows if "on the way" in row]
    assert way["trainer/global_step"] == 1  # after two steps
    (end,) = [row["pictures"] for row in rows if "pictures" in row]
    assert end["captions"] == ["content", "mask", "output", "output_full"]
    files = [offline[0] / "files" / name for name in end["filenames"]]
    assert [Image.open(file).size for file in files][2:] == [(96, 64), (128, 85)]


def test_scores_go_to_the_wandb_run_of_the_folder(tmp_path, monkeypatch):
    import wandb

    from experiments.run.tracking import log_scores

    for name in ("WANDB_API_KEY", "WANDB_MODE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NETRC", str(tmp_path / "none"))
    monkeypatch.setenv("WANDB_MODE", "offline")
    folder = run_folder(tmp_path / "a")
    log_scores(folder, {"leakage": 0.5})  # no run: nothing happens
    assert not (folder / "wandb").exists()
    settings = wandb.Settings(console="off", silent=True)
    wandb.init(project="p", id="abc123", dir=folder, mode="offline", settings=settings).finish()
    config = {"wandb": {"project": "p"}}
    (folder / "config.yaml").write_text(yaml.safe_dump(config))
    log_scores(folder, {"leakage": 0.5, "dists": None})
    log_scores(folder, {"leakage": 0.5})  # more than one part within a second
    parts = sorted((folder / "wandb").glob("offline-run-*"))
    files = [file.name for part in parts for file in part.glob("*.wandb")]
    assert files == ["run-abc123.wandb"] * len(parts)
    log = b"".join(file.read_bytes() for part in parts for file in part.glob("*.wandb"))
    assert b"leakage" in log
    assert b"dists" not in log
