"""Helpers of the tests of benchmark sets."""

import hashlib

import numpy as np
import pytest
import yaml
from PIL import Image

from datamodules.benchmarks.sets import load_set

STYLE = {"style": "fire", "seed": 0}


def paint(path, shade=0, size=(40, 36)):
    """A small picture of its own content; returns its sha256."""
    path.parent.mkdir(parents=True, exist_ok=True)
    values = np.full((size[1], size[0], 3), shade, np.uint8)
    Image.fromarray(values).save(path)
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture
def own(tmp_path):
    """Manifests in a folder of the test's; `own(**keys)` writes one with the name "own"."""
    (tmp_path / "manifests").mkdir()

    def write(**changes):
        manifest = {
            "title": "Own",
            "source": "nowhere",
            "methods": ["soulstyler"],
            "pictures": {
                "boat": {
                    "sha256": {"boat.png": "unknown"},
                    "source": "a folder",
                    "licence": "not stated; not shipped",
                    "object": "a boat",
                }
            },
            "styles": [{"style": "fire", "seed": 3}],
        }
        manifest = {k: v for k, v in {**manifest, **changes}.items() if v is not None}
        path = tmp_path / "manifests" / "own.yaml"
        path.write_text(yaml.safe_dump(manifest, sort_keys=False), encoding="utf-8")
        return path

    return write


def load_own(tmp_path, pictures=None):
    return load_set("own", pictures, tmp_path / "manifests")


def boat(**keys):
    """The pictures of a manifest, with the one picture's keys changed."""
    picture = {"sha256": {"boat.png": "unknown"}, "source": "a folder", "licence": "not stated"}
    return {"boat": {k: v for k, v in {**picture, **keys}.items() if v is not None}}
