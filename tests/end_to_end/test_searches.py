"""Searches by workers of Ray's, terminated and killed on the way."""

import json
import signal
from pathlib import Path

import pytest

from evaluation.tables.search import read_search
from tests.support.cli import start
from tests.support.processes import at_work, below
from tests.support.sweeps import products_there, results
from tests.support.troubled import TROUBLED
from tests.support.waiting import wait_until

pytest.importorskip("optuna", reason="needs the extra [search]")
SEARCH = {"method": "asha", "over": {"model.tau": [0.3, 0.7], "seed": {"low": 0, "high": 99}}}
SEARCH |= {"metric": "object_change", "direction": "max", "trials": 6, "round": 2}
SEARCH["halving"] = {"factor": 2, "rungs": 1}
OPTIONS = ["--threads=1", "--no-wandb", "--metrics=change", "--no-evaluate"]


def left_of(processes):
    """Processes among these that still run."""
    return [pid for pid in processes if Path(f"/proc/{pid}").exists()]


@pytest.mark.slow  # 75 s: Ray starts three times
@pytest.mark.xdist_group("ray")
def test_a_search_of_two_workers_that_is_stopped_twice_has_the_trials_of_a_serial_one(
    tmp_path, sweep, cli
):
    """Kill -9 after its first round, SIGTERM in the next; then Ray stays from round to round."""
    notes, root = tmp_path / "notes", tmp_path / "two"
    (tmp_path / "gate").touch()
    own = {"folder": str(tmp_path)}
    generator = json.dumps({"class_path": f"{TROUBLED}.Waiting", "init_args": own})
    path = sweep({}, **{"model.generator": generator})
    path.write_text(path.read_text().replace("grid: {}", f"search: {json.dumps(SEARCH)}"))

    def begin():
        notes.write_text("")
        return start("sweep", path, "--workers=2", "--out=two", *OPTIONS, cwd=tmp_path)

    driver = begin()
    wait_until((root / "search.json").exists, "the first round does not end", 240)
    processes = below(driver.pid)
    driver.kill()
    driver.communicate()
    wait_until(lambda: not left_of(processes), "processes are left", 60)
    before = results(root)

    driver = begin()
    wait_until(lambda: at_work(driver), "no worker begins", 240)
    processes = below(driver.pid)
    driver.send_signal(signal.SIGTERM)
    _, errors = driver.communicate(timeout=120)
    assert (driver.returncode, errors) == (143, "atelier: terminated\n")
    wait_until(lambda: not left_of(processes), "processes are left", 30)
    assert before.items() <= results(root).items()
    assert not [*root.glob("runs/*/failure.json")]

    driver = begin()
    output, errors = driver.communicate(timeout=240)
    assert driver.returncode == 0, errors
    workers = notes.read_text().split()
    assert len(set(workers)) == 2 < len(workers)  # they make the runs of two rounds
    assert not list(root.glob(".ray-*"))

    serial = cli("sweep", path, "--serial", "--out=one", *OPTIONS)
    assert output == serial.stdout
    assert read_search(root) == read_search(tmp_path / "one")
    assert products_there(root) == products_there(tmp_path / "one")
