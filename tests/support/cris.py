"""CRIS with weights made from their names, in the published and in a small architecture."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from datamodules.segmentation.cris.network import CRIS, Architecture
from tests.golden.parity import recipe

GOLDEN = Path(recipe.__file__).parent / "cris"
FULL = Architecture()
TINY = Architecture(
    stages=(1, 2, 1, 1),
    width=16,
    embedding=64,
    word_layers=2,
    vocabulary=512,
    neck=(32, 64, 128),
    decoder_layers=2,
    heads=4,
    hidden=96,
)
KEYS = {FULL: "keys_shapes.json", TINY: "keys_shapes_tiny.json"}


def shapes(sizes: Architecture) -> dict[str, tuple[int, ...]]:
    """Shapes of the published code's tensors by their names."""
    entries = json.loads((GOLDEN / KEYS[sizes]).read_text())
    return {key: tuple(entry["shape"]) for key, entry in entries.items()}


def network(sizes: Architecture) -> CRIS:
    """The network with the weights that the golden data was made with."""
    with torch.device("meta"):
        instance = CRIS(sizes)
    weights = {key: recipe.tensor(key, like.shape) for key, like in instance.state_dict().items()}
    tensors = {key: torch.from_numpy(np.asarray(value)) for key, value in weights.items()}
    instance.load_state_dict(tensors, assign=True)
    return instance.eval().requires_grad_(False)


def checkpoint(sizes: Architecture, path: Path) -> Path:
    """A file of these weights in the form of the published checkpoint."""
    weights = network(sizes).state_dict()
    torch.save({"epoch": 50, "state_dict": {f"module.{k}": w for k, w in weights.items()}}, path)
    return path


def light_checkpoint(path: Path) -> Path:
    """A file in the form and of the shapes of the published checkpoint, but of 1 MB.

    The elements of a tensor overlap in memory: element (i, j, ...) is random number i + j + ...
    """
    tensors = {f"module.{key}": _overlapping(key, shape) for key, shape in shapes(FULL).items()}
    torch.save({"epoch": 50, "state_dict": tensors}, path)
    return path


def _overlapping(key: str, shape: tuple[int, ...]) -> Tensor:
    if len(shape) < 2:
        scale = key.endswith((".weight", "running_var"))
        dtype = torch.int64 if key.endswith("tracked") else torch.float32
        return torch.tensor(0.3 if "bn3.w" in key else float(scale)).to(dtype).expand(shape)
    numbers = torch.from_numpy(recipe.uniform(key, sum(shape))).float()
    scale = (6 / np.prod(shape[1:])) ** 0.5 * (0.01 if "proj.txt" in key else 1)  # of the logits
    return (numbers * scale).as_strided(shape, (1,) * len(shape))


@pytest.fixture(scope="session")
def cris_file(tmp_path_factory) -> Path:
    """One light checkpoint for all tests, read once per process."""
    return light_checkpoint(tmp_path_factory.mktemp("cris") / "best_model.pth")
