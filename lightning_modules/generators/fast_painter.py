"""FastPainter: a small network turns a text's embedding into the code of a frozen painter.

FastCLIPstyler (Suresh et al., WACV 2024, arXiv 2210.03461): only the small network is trained. The
code is the 100 numbers that Ghiasi et al. (2017) read from a style picture, from which the painter
makes its scales and shifts. The text goes in alone: no templates, no source text.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from datamodules.models.catalogue import to_fetch
from datamodules.models.published import UNTRAINED, load_into, require
from datamodules.support.errors import AtelierError
from lightning_modules.encoders.base import JointEncoder
from lightning_modules.encoders.bridge import BridgeEncoder
from lightning_modules.generators.ghiasi import published_painter
from lightning_modules.generators.one_pass import OnePass, load_network
from lightning_modules.generators.painter import arbitrary, bottleneck

EMBEDDED = "embedded"
INSTEAD = "--models embedded needs nothing fetched"
HIDDEN = (256, 256, 150, 150)  # FastCLIPstyler's; EdgeCLIPstyler's begin with 512
CODE = 100


class FastPainter(OnePass):
    """Painter of arbitrary styles in the codes that a network reads from texts.

    Args:
        encoder: embeds the texts; by default the embedded sentence encoder.
        width: length of its embeddings.
        hidden: widths of the network's layers between embedding and code.
        weights: a file that `atelier train fast_clipstyler` wrote, a file of the paper's, its name
            "fastclipstyler" or "edgeclipstyler" if it is registered (`atelier weights path
            NAME=FILE`), or "untrained".
        painter: "ghiasi" for the registered file of the paper's painter, its path, or "embedded".
        smooth: filters against a woven mesh, as in Painter.
        pace: factor on the learning rate of the codes, where a run has steps.
    """

    def __init__(
        self,
        encoder: JointEncoder | None = None,
        width: int = 384,
        hidden: Sequence[int] = HIDDEN,
        weights: str = UNTRAINED,
        painter: str = EMBEDDED,
        smooth: bool = True,
        pace: float = 1.0,
    ) -> None:
        super().__init__(pace)
        self.encoder = encoder or BridgeEncoder()
        self.network = text_network([width, *hidden, CODE])
        if weights != UNTRAINED:
            _load(self.network, require(weights, INSTEAD))
        self.network.requires_grad_(False)
        self.smooth = smooth
        self.source = painter
        self.painter, matrix, offset = (
            arbitrary() if painter == EMBEDDED else published_painter(require(painter, INSTEAD))
        )
        self.register_buffer("matrix", matrix, persistent=False)
        self.register_buffer("offset", offset, persistent=False)

    @classmethod
    def weights_needed(cls, weights: str, painter: str, **others: Any) -> list[str]:
        """Names of the published weights that these arguments need."""
        return [name for name in to_fetch(weights, painter) if name != EMBEDDED]

    def texts(self, texts: Sequence[str]) -> Tensor:
        """Codes (T, 100) of T texts, each number in (-1, 1)."""
        return self.network(self.encoder.embed_texts(list(texts)))

    def picture_style(self, picture: Tensor) -> Tensor:
        if self.source != EMBEDDED:
            raise AtelierError(
                "The network that reads codes from pictures belongs to the embedded painter; leave "
                "--style-image out, or choose --models embedded"
            )
        return bottleneck(picture)[None]

    def paint(self, content: Tensor, styles: Tensor) -> Tensor:
        codes = torch.einsum("pwc,nc->npw", self.matrix, styles) + self.offset
        return self.painter(content, codes, self.smooth)


def _load(network: nn.Sequential, path: Path) -> None:
    """Load weights that training wrote, or those of the paper; AtelierError for any others."""
    if path.suffix == ".safetensors":
        load_network(network, path, FastPainter.__name__)
    else:
        load_into(network, path, "a text network of FastCLIPstyler, of these widths", _unprefixed)


def _unprefixed(published: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name.removeprefix("model."): value for name, value in published.items()}


def text_network(widths: Sequence[int]) -> nn.Sequential:
    """Linear layers of these widths, LeakyReLU of slope 0.2 between them, and tanh at the end."""
    layers: list[nn.Module] = []
    for before, after in pairwise(widths):
        layers += [nn.Linear(before, after), nn.LeakyReLU(0.2)]
    return nn.Sequential(*layers[:-1], nn.Tanh())
