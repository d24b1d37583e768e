"""Recorded numbers of the published codes, and the inputs and weights that they were made from."""

import json
from functools import cache
from pathlib import Path

import numpy as np
import torch

from tests.golden.parity import recipe

DATA = Path(__file__).parent / "data"


@cache
def golden(name):
    """Arrays of a file of data/ by name, as float32, int64 or bool tensors."""
    with np.load(DATA / f"{name}.npz") as file:
        return {key: torch.from_numpy(np.array(file[key])) for key in file.files}


@cache
def facts(name):
    """Content of a JSON file of data/."""
    return json.loads((DATA / f"{name}.json").read_text())


def uniform(name, *shape):
    """The recipe's numbers of a name, in [-1, 1), float64."""
    return torch.from_numpy(recipe.uniform(name, int(np.prod(shape))).reshape(shape))


def picture(name, height, width):
    """Picture (1, 3, H, W) in [0, 1] of a name."""
    image = 0.25 * torch.from_numpy(recipe.image(height, width)).double() + 0.5
    return (image + 0.15 * uniform(name, 1, 3, height, width)).clamp(0, 1).float()


def stylenet_weights():
    """The recipe's weights of StyleNet by their published names."""
    return {name: _weights(name, shape, 3) for name, shape in facts("stylenet_keys").items()}


def fast_weights(network):
    """The recipe's weights of a feed-forward network (vgg, decoder, ghiasi, text, edge) by their
    published names.
    """
    keys = {k: shape for k, shape in facts("fast_keys").items() if k.startswith(f"{network}.")}
    return {k.removeprefix(f"{network}."): _weights(k, shape, 6) for k, shape in keys.items()}


def _weights(name, shape, gain):
    values = uniform(name, *shape)
    scale = (gain / (values.numel() / shape[0])) ** 0.5 if len(shape) > 1 else 0.1
    return (scale * values).float()


def largest_difference(ours, theirs):
    """Largest absolute difference of two tensors of one shape."""
    assert ours.shape == theirs.shape
    return (ours.detach().double() - theirs.double()).abs().max().item()
