"""Helpers of the tests of results."""

import pytest

from tests.support.run_folders import write_run


def run_folder(folder, labels=None, metrics=None, job=None, **more):
    """A finished run as a bench leaves it; without labels, as `atelier stylize` does."""
    result = {"method": "Soulstyler", "encoder": "bridge-lite0", "seed": 0}
    result |= {"metrics": metrics or {}, "seconds": {"load": 1.5, "optimise": 40.0}} | more
    described = {"id": "0" * 16, "set": "demo", "command": "atelier stylize x.jpg"}
    described |= {"labels": labels} | (job or {})
    return write_run(folder, result=result, job=None if labels is None else described)


def failed_folder(folder, labels):
    failure = {"reason": "out of memory", "tries": 2}
    write_run(folder, job={"set": "demo", "labels": labels}, failure=failure)


@pytest.fixture
def two_methods(tmp_path):
    """Leakage 0.1, 0.2, 0.6 of one method and 0.3 of the other, whose second run has none."""
    for seed, leakage in enumerate((0.1, 0.2, 0.6)):
        labels = {"method": "soulstyler", "style": "fire", "seed": seed, "model.tau": 0.7}
        scores = {"leakage": leakage, "style_patch.bridge-lite2": 0.2, "object_change": seed}
        run_folder(tmp_path / f"runs/a/{seed}", labels, scores | {"dists": None})
    for seed, leakage in enumerate((0.3, None)):
        labels = {"method": "sem_cs", "style": "snow", "seed": seed, "model.tau": 0.7}
        scores = {"leakage": leakage, "style_patch.bridge-lite2": 0.2, "object_change": -1}
        more = {"unavailable": {"dists": "no weights"}}
        run_folder(tmp_path / f"runs/b/{seed}", labels, scores | {"dists": None}, **more)
    return tmp_path / "runs"
