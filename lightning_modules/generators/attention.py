"""Attention between picture and text: every position of the picture asks the tokens of a style.

After figure 2b of Cyizere 2024 (Master's thesis, LUT): encoders, an attention network of features
and text, fusion, a decoder. The thesis leaves the formulas open. They are AdaAttN's here (Liu et
al. 2021, arXiv 2108.03647), with the tokens of texts in place of a style picture's features, as
TxST has texts in place of style pictures (Liu et al. 2022, arXiv 2202.13562):

    Q = f(norm(F_c)),  K = g(norm(T)),  V = h(norm(T)),  A = softmax(Q K^T)
    M = A V,  S = sqrt(A (V V) - M M),  fused = S norm(F_c) + M

with content features F_c, normalised by channel, and tokens T, each normalised and joined by the
normalised mean of its text's tokens. Deviations: this mean, by which a token such as "of" knows the
whole text; several heads with the usual scale in the softmax; h is a network of two layers, because
tokens and features live in different spaces; one layer of features instead of three; S has a small
lower bound, for a finite gradient. Deviations of a decoder: lightning_modules/generators/halves.py.

Several styles are fused by attention: the tokens of all texts are answers, those of text i, n_i in
number, with log(weight_i / n_i) added before the softmax, so that a text counts by its weight and
not by its length. Memory grows linearly with the pixels.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from datamodules.models import packaged
from datamodules.models.published import UNTRAINED
from datamodules.task import StyleBatch
from lightning_modules.encoders.base import JointEncoder
from lightning_modules.encoders.bridge import BridgeEncoder
from lightning_modules.generators import fast_lessons
from lightning_modules.generators.fast_lessons import lessons
from lightning_modules.generators.fast_painter import EMBEDDED
from lightning_modules.generators.halves import Halves, PainterHalves
from lightning_modules.generators.norms import instance_norm
from lightning_modules.generators.one_pass import OnePass, load_network
from lightning_modules.generators.painter_styles import american

WEIGHTS = packaged.EmbeddedFile(
    "lightning_modules",
    "generators/attention.safetensors",
    "0ffdc830b65f2be114ee134e5c4cb0d47e6a94f6afb94bc4f7a6892d7251898c",
    fast_lessons.INSTEAD,
)
HIDDEN = 256  # width of h between its two layers
LEAST_VARIANCE = 1e-6


class AttentionPainter(OnePass):
    """Painter in which attention to a text's tokens gives each position its style.

    A style is a row of tokens (1, L, 3 W + 1) with W = halves.width: key (2 W), value (W) and what
    is added before the softmax, -inf for padding.

    Args:
        encoder: reads the texts' tokens; by default the embedded sentence encoder.
        halves: encoder of the pictures and decoder; by default the embedded painter's.
        heads: parallel attentions; they divide the values' width.
        weights: "embedded" for the shipped ones, of the embedded encoder and painter; "untrained";
            or a file that `atelier train attention` wrote.
        pace: factor on the learning rate of the styles, where a run has steps.
    """

    def __init__(
        self,
        encoder: JointEncoder | None = None,
        halves: Halves | None = None,
        heads: int = 4,
        weights: str = EMBEDDED,
        pace: float = 1.0,
    ) -> None:
        super().__init__(pace)
        self.encoder = (encoder or BridgeEncoder()).eval().requires_grad_(False)
        self.halves = halves or PainterHalves()
        self.reads_pictures = self.halves.reads_pictures
        self.heads, self.width = heads, self.halves.width
        tokens, queries = self.read(["a photo"])[0].shape[2], 2 * self.width
        self.network = nn.ModuleDict(
            {
                "query": nn.Conv2d(self.halves.channels, queries, 1),
                "key": nn.Linear(tokens, queries),
                "value": nn.Sequential(
                    nn.Linear(tokens, HIDDEN), nn.LeakyReLU(0.2), nn.Linear(HIDDEN, self.width)
                ),
                "decoder": self.halves.trained,
            }
        )
        self.weights = weights
        if weights != UNTRAINED:
            path = packaged.locate(WEIGHTS) if weights == EMBEDDED else Path(weights)
            load_network(self.network, path, type(self).__name__)
        self.network.requires_grad_(False)

    def start(self, batch: StyleBatch) -> None:
        """Set the styles of all regions; a warning that an untrained network means nothing."""
        if self.weights == UNTRAINED:
            self.remark(
                "The attention network is untrained, so the style means nothing; train it with "
                "atelier train attention, and give --model.generator.weights FILE"
            )
        super().start(batch)

    def unlike(self, text: str) -> str:
        return lessons().unlike(text) if self.weights == EMBEDDED else ""

    def read(self, texts: Sequence[str]) -> tuple[Tensor, Tensor]:
        """norm(T) of T texts (T, L, D), and which tokens are no padding, bool (T, L); British
        spelling is read as American.
        """
        states, words = self.encoder.text_tokens([american(text) for text in texts])
        mask = words.unsqueeze(2)
        mean = (states * mask).sum(1, keepdim=True) / mask.sum(1, keepdim=True)
        both = (states, mean.expand_as(states))
        return torch.cat([F.layer_norm(x, x.shape[2:]) for x in both], dim=2), words

    def texts(self, texts: Sequence[str]) -> Tensor:
        """Styles (T, L, 3 W + 1) of T texts, padded to the longest."""
        states, words = self.read(texts)
        counts = words.sum(1, keepdim=True)
        bias = torch.where(words, -counts.log(), -torch.inf)
        parts = [self.network["key"](states), self.network["value"](states), bias[..., None]]
        return torch.cat(parts, dim=2)

    def picture_style(self, picture: Tensor) -> Tensor:
        """Style (1, 1, 3 W + 1) of a style picture: a single token, whose key is 0."""
        value = self.halves.read(picture)
        return torch.cat([value.new_zeros(2 * self.width), value, value.new_zeros(1)])[None, None]

    def merge(self, styles: Sequence[Tensor], weights: Sequence[float]) -> Tensor:
        """One style (1, L, 3 W + 1): the tokens of all, by their weights."""
        shares = torch.tensor(weights).log() - torch.tensor(sum(weights)).log()
        weighted = [
            torch.cat([style[..., :-1], style[..., -1:] + share.to(style)], dim=2)
            for style, share in zip(styles, shares, strict=True)
        ]
        return torch.cat(weighted, dim=1)

    def stack(self, styles: Sequence[Tensor]) -> Tensor:
        """Styles (K, L, 3 W + 1) from single ones of any number of tokens."""
        longest = max(style.shape[1] for style in styles)
        padded = [F.pad(style, (0, 0, 0, longest - style.shape[1])) for style in styles]
        for row, style in zip(padded, styles, strict=True):
            row[:, style.shape[1] :, -1] = -torch.inf
        return torch.cat(padded)

    def paint(self, content: Tensor, styles: Tensor) -> Tensor:
        features = self.halves.encode(content)
        positions = self.halves.positions(instance_norm(features))
        queries = self.network["query"](positions)
        keys, values, bias = styles.split([2 * self.width, self.width, 1], dim=2)
        rows = queries.flatten(2).transpose(1, 2)
        attended = attend(rows, keys, values, bias[..., 0], self.heads)
        places = (-1, self.width, *positions.shape[2:])
        maps = (part.transpose(1, 2).reshape(places) for part in attended)
        height, width = content.shape[2:]
        return self.halves.decode(features, *maps)[..., :height, :width]


def attend(
    queries: Tensor, keys: Tensor, values: Tensor, bias: Tensor, heads: int = 1
) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation (N, P, W) of the values by attention: M and S above.

    queries: (N, P, 2 W) of P positions. keys: (N or 1, L, 2 W), values: (N or 1, L, W) and bias:
    (N or 1, L), added before the softmax, of L tokens. heads: a divisor of W; head i takes the
    i-th part of the numbers of queries, keys and values.
    """
    with torch.autocast(queries.device.type, enabled=False):  # a small difference of squares
        queries, keys, values = (
            x.float().unflatten(2, (heads, -1)) for x in (queries, keys, values)
        )
        moments = torch.cat([values, values.square()], dim=3)  # as wide as queries and keys
        rows = [
            x.transpose(1, 2).expand(len(queries), -1, -1, -1) for x in (queries, keys, moments)
        ]
        mask = bias.float()[:, None, None].expand(len(queries), heads, 1, -1)
        attended = F.scaled_dot_product_attention(*rows, attn_mask=mask)
        mean, square = attended.transpose(1, 2).chunk(2, dim=3)
        deviation = (square - mean.square()).clamp(min=LEAST_VARIANCE).sqrt()
    return mean.flatten(2), deviation.flatten(2)
