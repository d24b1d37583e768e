"""CRIS's backbone: CLIP's RN50 with an attention pool for every place, and CLIP's words."""

from __future__ import annotations

import torch
from open_clip.modified_resnet import ModifiedResNet
from open_clip.transformer import QuickGELU, Transformer
from torch import Tensor, nn
from torch.nn import functional as F

HEAD = 64  # channels of an attention head
GRID = 7  # places of CLIP's last stage along each side, in its pictures of 224 px
LONGEST = 77  # tokens of CLIP's sentences, the rows of its position table


class Backbone(nn.Module):
    """Pictures and words to features.

    Args:
        stages: bottlenecks of each of the four stages.
        width: channels of the stem; stage k has width * 2^(k + 1).
        embedding: channels of the last picture features and of a sentence.
        word_width: channels of a word.
        word_layers: blocks of the text transformer.
        vocabulary: number of tokens.
    """

    def __init__(
        self,
        stages: tuple[int, int, int, int],
        width: int,
        embedding: int,
        word_width: int,
        word_layers: int,
        vocabulary: int,
    ) -> None:
        super().__init__()
        self.visual = PictureTower(stages, width, embedding)
        heads = word_width // HEAD
        self.transformer = Transformer(word_width, word_layers, heads, act_layer=QuickGELU)
        self.token_embedding = nn.Embedding(vocabulary, word_width)
        self.positional_embedding = nn.Parameter(torch.randn(LONGEST, word_width) / 100)
        self.ln_final = nn.LayerNorm(word_width)
        self.text_projection = nn.Parameter(torch.randn(word_width, embedding) / word_width**0.5)
        self.logit_scale = nn.Parameter(torch.zeros(()))  # of CLIP's training, without use here

    def read(self, tokens: Tensor) -> tuple[Tensor, Tensor]:
        """Features of the words (B, L, word_width) and of the sentence (B, embedding).

        tokens: int64 (B, L), L at most 77; the largest id of a sentence ends it.
        """
        length = tokens.shape[1]
        causal = nn.Transformer.generate_square_subsequent_mask(length)
        words = self.token_embedding(tokens) + self.positional_embedding[:length]
        words = self.ln_final(self.transformer(words, causal))
        ends = words[torch.arange(len(words)), tokens.argmax(1)]
        return words, ends @ self.text_projection


class PictureTower(ModifiedResNet):
    """CLIP's ResNet, whose stages 2 to 4 are all of use.

    Args:
        stages, width, out: as `Backbone` has them, out = embedding.
    """

    def __init__(self, stages: tuple[int, int, int, int], width: int, out: int) -> None:
        super().__init__(stages, out, heads=32 * width // HEAD, width=width)
        self.attnpool = PlaceAttention(32 * width, out)

    def forward(self, pictures: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Features at strides of 8, 16 and 32 px of normalised pictures (B, 3, H, W)."""
        second = self.layer2(self.layer1(self.stem(pictures)))
        third = self.layer3(second)
        return second, third, self.attnpool(self.layer4(third))


class PlaceAttention(nn.Module):
    """CLIP's attention pool without the mean token: (B, channels, h, w) to (B, out, h, w)."""

    def __init__(self, channels: int, out: int) -> None:
        super().__init__()
        self.positional_embedding = nn.Parameter(torch.randn(1 + GRID**2, channels) / channels**0.5)
        self.q_proj = nn.Linear(channels, channels)
        self.k_proj = nn.Linear(channels, channels)
        self.v_proj = nn.Linear(channels, channels)
        self.c_proj = nn.Linear(channels, out)
        self.connect = nn.Sequential(nn.Conv2d(channels, out, 1, bias=False), nn.BatchNorm2d(out))

    def forward(self, features: Tensor) -> Tensor:
        size = features.shape[2:]
        grid = self.positional_embedding[1:].T.unflatten(1, (GRID, GRID))[None]
        places = F.interpolate(grid, size, mode="bicubic", align_corners=False)
        tokens = (features + places).flatten(2).mT
        queries, keys, values = (
            project(tokens).unflatten(2, (-1, HEAD)).transpose(1, 2)
            for project in (self.q_proj, self.k_proj, self.v_proj)
        )
        attended = F.scaled_dot_product_attention(queries, keys, values)
        attended = self.c_proj(attended.transpose(1, 2).flatten(2)).mT.unflatten(2, size)
        return (attended + self.connect(features)).relu()
