"""Weights of the painter of Ghiasi et al. (2017, arXiv 1705.06830) as FastCLIPstyler uses it.

The network is that of the embedded painter, wider: 128 channels in its residual blocks. Its first
three layers are normalised without a style, which here is the constant style of scale 1 and shift
0. Biases of its convolutions vanish in the normalisation that follows.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from datamodules.models.cache import once_per_process
from datamodules.models.published import load_into
from lightning_modules.generators.painter import StyleConditioned

CODE = 100  # numbers that the predictor reads from a style picture
DOWN = ((3, 32, 9), (32, 64, 3), (64, 128, 3))  # inputs, outputs and side of each kernel
MIDDLE = (128, 128, 3)
UP = ((128, 64, 3), (64, 32, 3), (32, 3, 9))
BLOCKS = 5


@once_per_process(at_most=2)
def published_painter(path: Path) -> tuple[StyleConditioned, Tensor, Tensor]:
    """Network, and the linear map from its style codes: matrix (2, W, 100) and offset (2, W).

    Raises AtelierError for a file of anything else.
    """
    stored = _stored()
    load_into(stored, path, "Ghiasi's painter as FastCLIPstyler publishes it", _painter_in)
    layers = [parts for layer in stored["layers"] for parts in _parts(layer)]
    network = StyleConditioned(
        [conv.weight.detach() for conv, *_ in layers], biases=[], checkered=True
    )
    maps = [linear for _, *linears in layers[len(DOWN) :] for linear in [linears]]
    unstyled = sum(outputs for _, outputs, _ in DOWN)
    weights = [torch.cat([pair[k].weight for pair in maps]) for k in (0, 1)]
    biases = [torch.cat([pair[k].bias for pair in maps]) for k in (0, 1)]
    matrix = F.pad(torch.stack(weights), (0, 0, unstyled, 0))
    offset = torch.stack(
        [
            F.pad(bias, (unstyled, 0), value=start)
            for bias, start in zip(biases, (1, 0), strict=True)
        ]
    )
    return network, matrix.detach(), offset.detach()


def _painter_in(content: dict[str, Any]) -> dict[str, Tensor]:
    """State dict of the painter in a file, which may hold it beside others."""
    return content.get("state_dict_ghiasi", content)


def _stored() -> nn.ModuleDict:
    """Layers by their published names: convolutions, and linear layers from a code to styles."""
    plain = [nn.ModuleDict({"conv": nn.Conv2d(*shape)}) for shape in DOWN]
    blocks = [_styled(MIDDLE, "12") for _ in range(BLOCKS)]
    return nn.ModuleDict(
        {"layers": nn.ModuleList([*plain, *blocks, *(_styled(shape, ("",)) for shape in UP)])}
    )


def _styled(shape: tuple[int, int, int], suffixes: Sequence[str]) -> nn.ModuleDict:
    parts: dict[str, nn.Module] = {}
    for suffix in suffixes:
        parts[f"conv{suffix}"] = nn.Conv2d(*shape)
        parts[f"fc_gamma{suffix}"] = nn.Linear(CODE, shape[1])
        parts[f"fc_beta{suffix}"] = nn.Linear(CODE, shape[1])
    return nn.ModuleDict(parts)


def _parts(layer: nn.ModuleDict) -> Iterator[tuple[nn.Module, ...]]:
    """Convolution, scales and shifts of each convolution of a layer; a plain one has no styles."""
    for suffix in ("", "1", "2"):
        names = (f"{part}{suffix}" for part in ("conv", "fc_gamma", "fc_beta"))
        if present := tuple(layer[name] for name in names if name in layer):
            yield present
