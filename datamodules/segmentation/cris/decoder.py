"""CRIS's decoder: every place of the picture attends to all places, then to the words."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Decoder(nn.Module):
    """Features (B, width, h, w) and words (B, L, width) to features (B, width, h, w).

    Args:
        layers: number of layers.
        width: channels of places and words.
        heads: of each attention.
        hidden: channels inside the feed-forward part of a layer.
    """

    def __init__(self, layers: int, width: int, heads: int, hidden: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList(DecoderLayer(width, heads, hidden) for _ in range(layers))
        self.norm = nn.LayerNorm(width)

    def forward(self, features: Tensor, words: Tensor, padding: Tensor) -> Tensor:
        """padding: bool (B, L), True where a sentence has ended."""
        width, *size = features.shape[1:]
        places, positions = place_codes(*size, width), sinusoids(words.shape[1], width)
        tokens = features.flatten(2).mT
        for layer in self.layers:
            tokens = layer(tokens, places, words, positions, padding)
        return self.norm(tokens).mT.unflatten(2, size)


class DecoderLayer(nn.Module):
    """Self-attention, cross-attention and a feed-forward part, each with norms on both sides."""

    def __init__(self, width: int, heads: int, hidden: int) -> None:
        super().__init__()
        self.self_attn = nn.MultiheadAttention(width, heads, batch_first=True)
        self.multihead_attn = nn.MultiheadAttention(width, heads, batch_first=True)
        self.self_attn_norm = nn.LayerNorm(width)
        self.cross_attn_norm = nn.LayerNorm(width)
        self.ffn = nn.Sequential(
            nn.Linear(width, hidden),
            nn.ReLU(inplace=True),
            nn.Identity(),  # the training's dropout, which counts in the names of the weights
            nn.LayerNorm(hidden),
            nn.Linear(hidden, width),
        )
        self.norm1, self.norm2, self.norm3 = (nn.LayerNorm(width) for _ in range(3))

    def forward(
        self, tokens: Tensor, places: Tensor, words: Tensor, positions: Tensor, padding: Tensor
    ) -> Tensor:
        own = self.norm1(tokens)
        placed = own + places
        own, _ = self.self_attn(placed, placed, own, need_weights=False)
        tokens = tokens + self.self_attn_norm(own)
        read, _ = self.multihead_attn(
            self.norm2(tokens) + places,
            words + positions,
            words,
            key_padding_mask=padding,
            need_weights=False,
        )
        tokens = tokens + self.cross_attn_norm(read)
        return tokens + self.ffn(self.norm3(tokens))


def sinusoids(count: int, channels: int) -> Tensor:
    """Codes of the positions 0 to count - 1: sines and cosines in turn, (count, channels)."""
    frequencies = 10000 ** (-torch.arange(0, channels, 2) / channels)
    angles = torch.arange(count)[:, None] * frequencies
    return torch.stack([angles.sin(), angles.cos()], 2).flatten(1)


def place_codes(height: int, width: int, channels: int) -> Tensor:
    """Codes of all places, row by row: half for the column, half for the row, (h w, channels)."""
    columns = sinusoids(width, channels // 2).expand(height, -1, -1)
    rows = sinusoids(height, channels // 2)[:, None].expand(-1, width, -1)
    return torch.cat([columns, rows], 2).flatten(0, 1)
