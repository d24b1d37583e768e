"""Helpers of the tests of report."""

import os

import numpy as np
import pytest
from PIL import Image

from evaluation.report import page_model
from evaluation.report.details import Details
from evaluation.tables.run import Run
from tests.support.run_folders import write_run

HALF = "\ud83d"  # of a character: JSON can hold it, UTF-8 cannot
EVIL = "</script><img src=x onerror=alert(1)>\"'@MODEL@ &amp; <b>"
JUDGE = "style_patch.bridge-lite2"


def run(folder="a", method="Soulstyler", metrics=None, **fields):
    values = {"set": "demo", "labels": {}, "unavailable": {}, "seconds": 60.0, "failure": ""}
    values |= {"encoder": "bridge-lite0", "command": "atelier stylize x"} | fields
    return Run(folder=folder, method=method, metrics=metrics or {}, **values)


def entry(folder="a", method="Soulstyler", metrics=None, **fields):
    one = run(folder, method, metrics, **fields)
    return page_model.Entry(one, Details(), None, one.failure, f"runs/{folder}", group=method)


def make_run(folder, number, failed=False, style="fire", **scores):
    """A run folder as a sweep leaves it."""
    method = ("soulstyler", "sem_cs")[number % 2]
    labels = {"method": method, "picture": "lagoon", "object": "boat", "style": style.rstrip(HALF)}
    labels |= {"seed": number // 6, "model.tau": (0.5, 0.7, 0.9)[number % 3]}
    job = {"id": folder.name, "set": "demo", "labels": labels}
    job["command"] = f"atelier stylize lagoon.png --seed {number}"
    if failed:
        write_run(folder, job=job, failure={"reason": "no memory left", "tries": 2})
        return
    y, x = np.mgrid[:96, :128]
    photo = np.stack([x * 2, y * 2, 128 + 0 * x], axis=-1).astype(np.uint8)
    output = photo // 2 + np.array([120, 40, (number * 9) % 120], dtype=np.uint8)
    arrays = {"content.png": photo, "output.png": output}
    arrays["mask.png"] = ((x > 40) * 255).astype(np.uint8)
    metrics = {JUDGE: 0.1 + number / 100, "leakage": number / 50, "dists": None} | scores
    result = {"method": {"soulstyler": "Soulstyler", "sem_cs": "SemCS"}[method], "metrics": metrics}
    result |= {"encoder": "bridge-lite0", "steps": 3, "seed": number, "seconds": {"optimise": 2.5}}
    result |= {"unavailable": {"dists": "no weights of VGG-16"}, "versions": {"torch": "2"}}
    write_run(
        folder,
        {name: Image.fromarray(array) for name, array in arrays.items()},
        [("boat", style)],
        {"seed_everything": number, "data": {"image": "lagoon.png"}},
        [{"total": 10.0}, {"total": 8.0}, {"total": 5.5}],
        result,
        job,
    )
    os.utime(folder / "result.json", (1763700000, 1763700000))


@pytest.fixture
def report_runs(tmp_path):
    """Eleven whole report_runs and a failed one, by two methods at three thresholds."""
    for number in range(12):
        folder = tmp_path / "runs" / "deep" / f"{number:016x}"
        style = {3: EVIL, 4: f"fire {HALF}"}.get(number, "fire")
        make_run(folder, number, number == 5, style)
    return tmp_path / "runs"
