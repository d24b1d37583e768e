"""FastPainter: a small network turns a text's embedding into the code of a frozen painter.

FastCLIPstyler (Suresh et al., WACV 2024, arXiv 2210.03461): only the small network is trained. The
code is the 100 numbers that Ghiasi et al. (2017) read from a style picture, from which the painter
makes its scales and shifts. The text goes in alone: no templates, no source text.

The shipped weights (`experiments/make/fast_weights.py`) belong to the embedded sentence encoder and
painter, whose codes leave (-1, 1): the tanh is stretched and shifted per number of the code.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from datamodules.models import packaged
from datamodules.models.catalogue import to_fetch
from datamodules.models.published import UNTRAINED, load_into, require
from datamodules.support.errors import AtelierError
from datamodules.task import Blend
from lightning_modules.encoders.base import JointEncoder
from lightning_modules.encoders.bridge import BridgeEncoder
from lightning_modules.encoders.sentences import SentenceEncoder
from lightning_modules.generators import fast_lessons
from lightning_modules.generators.fast_lessons import lessons
from lightning_modules.generators.ghiasi import published_painter
from lightning_modules.generators.one_pass import OnePass, load_network
from lightning_modules.generators.painter import arbitrary, bottleneck
from lightning_modules.generators.painter_styles import american

EMBEDDED = "embedded"
INSTEAD = "--models embedded needs nothing fetched"
WEIGHTS = packaged.EmbeddedFile(
    "lightning_modules",
    "generators/fast_painter.safetensors",
    "3a0b29d65518bf0769aa028820101ff007f54351dc7c2cc7a0b3a7f68e6c01d6",
    fast_lessons.INSTEAD,
)
STRETCH = 1.25  # of the largest distances from the mean: tanh never quite reaches 1
HIDDEN = (256, 256, 150, 150)  # FastCLIPstyler's; EdgeCLIPstyler's begin with 512
CODE = 100


class FastPainter(OnePass):
    """Painter of arbitrary styles in the codes that a network reads from texts.

    Args:
        encoder: embeds the texts; by default the embedded sentence encoder.
        width: length of its embeddings.
        hidden: widths of the network's layers between embedding and code.
        weights: "embedded" for the shipped ones, a file that `atelier train fast_clipstyler` wrote,
            a file of the paper's, its name "fastclipstyler" or "edgeclipstyler" if it is registered
            (`atelier weights path NAME=FILE`), or "untrained".
        painter: "ghiasi" for the registered file of the paper's painter, its path, or "embedded".
        smooth: filters against a woven mesh, as in Painter.
        pace: factor on the learning rate of the codes, where a run has steps.
    """

    def __init__(
        self,
        encoder: JointEncoder | SentenceEncoder | None = None,
        width: int = 384,
        hidden: Sequence[int] = HIDDEN,
        weights: str = EMBEDDED,
        painter: str = EMBEDDED,
        smooth: bool = True,
        pace: float = 1.0,
    ) -> None:
        super().__init__(pace)
        self.encoder = encoder or BridgeEncoder()
        self.network = TextNetwork([width, *hidden, CODE])
        self.shipped = weights == EMBEDDED
        if weights == UNTRAINED and painter == EMBEDDED:
            self.network.stretch(lessons().codes, lessons().mean)
        if weights != UNTRAINED:
            path = packaged.locate(WEIGHTS) if self.shipped else require(weights, INSTEAD)
            _load(self.network, path)
        self.network.requires_grad_(False)
        self.smooth = smooth
        self.source = painter
        self.reads_pictures = painter == EMBEDDED  # as its predictor, whose codes these are
        self.painter, matrix, offset = (
            arbitrary() if painter == EMBEDDED else published_painter(require(painter, INSTEAD))
        )
        self.register_buffer("matrix", matrix, persistent=False)
        self.register_buffer("offset", offset, persistent=False)

    @classmethod
    def weights_needed(cls, weights: str, painter: str, **others: Any) -> list[str]:
        """Names of the published weights that these arguments need."""
        return [name for name in to_fetch(weights, painter) if name != EMBEDDED]

    def unlike(self, text: str) -> str:
        return lessons().unlike(text) if self.shipped else ""

    def texts(self, texts: Sequence[str]) -> Tensor:
        """Codes (T, 100) of T texts; for the embedded painter British spelling is American."""
        spelt = map(american, texts) if self.source == EMBEDDED else texts
        embeddings = self.encoder.embed_texts(list(spelt))
        width, own = embeddings.shape[1], self.network.layers[0].in_features
        if width != own:
            raise AtelierError(
                f"The text network reads {own} numbers per text, and {type(self.encoder).__name__} "
                f"gives {width}; give --model.generator.encoder as the weights need it"
            )
        return self.network(embeddings)

    def picture_style(self, picture: Tensor) -> Tensor:
        return bottleneck(picture)[None]

    def own_losses(self, styles: Tensor, blends: Sequence[Blend]) -> dict[str, Tensor]:
        """`prior`: squared Mahalanobis distance of codes from those of styles, divided by 100;
        `code`: squared error of scales and shifts, for texts that have a code in the lessons.
        """
        rows = torch.tensor(lessons().rows([blend[0][1] for blend in blends]))
        single = torch.tensor([len(blend) == 1 for blend in blends]) & (rows >= 0)
        goals = lessons().codes.to(styles)[rows.clamp(min=0).to(styles.device)]
        errors = self.code_errors(styles, goals) * single.to(styles)
        return {"prior": lessons().distance(styles).mean(), "code": errors.mean()}

    def code_errors(self, codes: Tensor, goals: Tensor) -> Tensor:
        """Mean squared errors (N,) of the scales and shifts of codes (N, 100)."""
        return torch.einsum("pwc,nc->npw", self.matrix, codes - goals).square().mean((1, 2))

    def paint(self, content: Tensor, styles: Tensor) -> Tensor:
        codes = torch.einsum("pwc,nc->npw", self.matrix, styles) + self.offset
        return self.painter(content, codes, self.smooth)


def _load(network: TextNetwork, path: Path) -> None:
    """Load weights that training wrote, or those of the paper; AtelierError for any others."""
    if path.suffix == ".safetensors":
        load_network(network, path, FastPainter.__name__)
    else:
        what = "a text network of FastCLIPstyler, of these widths"
        load_into(network.layers, path, what, _unprefixed)


def _unprefixed(published: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name.removeprefix("model."): value for name, value in published.items()}


class TextNetwork(nn.Module):
    """Embeddings (T, E) of texts to codes (T, C).

    Linear layers, LeakyReLU of slope 0.2 between them, and tanh at the end, then `scale` and
    `mean`: buffers (C,), 1 and 0 for the published form, whose codes lie in (-1, 1).

    Args:
        widths: E, those of the layers between, C.
    """

    def __init__(self, widths: Sequence[int]) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for before, after in pairwise(widths):
            layers += [nn.Linear(before, after), nn.LeakyReLU(0.2)]
        self.layers = nn.Sequential(*layers[:-1], nn.Tanh())
        self.register_buffer("mean", torch.zeros(widths[-1]))
        self.register_buffer("scale", torch.ones(widths[-1]))

    def stretch(self, codes: Tensor, mean: Tensor) -> None:
        """Set `mean` and `scale` so that the network reaches codes (N, C) with room to spare."""
        self.mean.copy_(mean)
        self.scale.copy_(STRETCH * (codes - mean).abs().amax(0))

    def forward(self, embeddings: Tensor) -> Tensor:
        return self.mean + self.scale * self.layers(embeddings)
