"""CRIS with weights made from their names, in the published and in a small architecture."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from datamodules.segmentation.cris.network import CRIS, Architecture
from tests.golden.parity.cris import recipe

GOLDEN = Path(recipe.__file__).parent
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


def weights(sizes: Architecture) -> dict[str, Tensor]:
    """The tensors that the golden data was made with."""
    made = {key: recipe.tensor(key, shape) for key, shape in shapes(sizes).items()}
    return {key: torch.from_numpy(np.asarray(value)) for key, value in made.items()}


def network(sizes: Architecture) -> CRIS:
    """The network with these tensors."""
    with torch.device("meta"):
        made = CRIS(sizes)
    made.load_state_dict(weights(sizes), assign=True)
    return made.eval().requires_grad_(False)


def checkpoint(sizes: Architecture, path: Path) -> Path:
    """A file of these tensors in the form of the published checkpoint."""
    tensors = {f"module.{key}": value for key, value in weights(sizes).items()}
    torch.save({"epoch": 50, "state_dict": tensors}, path)
    return path
