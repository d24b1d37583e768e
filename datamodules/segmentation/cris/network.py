"""CRIS (Wang et al., CVPR 2022, arXiv 2111.15174): the network whose logits mark a phrase's object.

The modules have the names of the published checkpoint's tensors. A network is only meant for
inference: batch norms use their stored statistics, and there is no dropout.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn

from datamodules.segmentation.cris.backbone import Backbone
from datamodules.segmentation.cris.decoder import Decoder
from datamodules.segmentation.cris.neck import Neck
from datamodules.segmentation.cris.projector import Projector


@dataclass(frozen=True)
class Architecture:
    """Sizes of the network; the defaults are those of the published R50 configuration.

    stages, width, embedding, word_layers, vocabulary: as `Backbone` has them.
    neck: channels of the neck's three scales; neck[1] is also the width of words and decoder.
    decoder_layers, heads, hidden: as `Decoder` has them.
    """

    stages: tuple[int, int, int, int] = (3, 4, 6, 3)
    width: int = 64
    embedding: int = 1024
    word_layers: int = 12
    vocabulary: int = 49408
    neck: tuple[int, int, int] = (256, 512, 1024)
    decoder_layers: int = 3
    heads: int = 8
    hidden: int = 2048


class CRIS(nn.Module):
    """Pictures and phrases to logits; `look` is apart, for several phrases about one picture."""

    def __init__(self, sizes: Architecture = Architecture()) -> None:
        super().__init__()
        words, embedding = sizes.neck[1], sizes.embedding
        self.backbone = Backbone(
            sizes.stages, sizes.width, embedding, words, sizes.word_layers, sizes.vocabulary
        )
        scales = (8 * sizes.width, 16 * sizes.width, embedding)
        self.neck = Neck(scales, sizes.neck, embedding)
        self.decoder = Decoder(sizes.decoder_layers, words, sizes.heads, sizes.hidden)
        self.proj = Projector(words, embedding)

    def look(self, pictures: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Features at three scales of normalised pictures (B, 3, H, W); sides divide by 32."""
        return self.backbone.visual(pictures)

    def forward(self, features: tuple[Tensor, Tensor, Tensor], tokens: Tensor) -> Tensor:
        """Logits (B, 1, H/4, W/4) of pictures by their features.

        tokens: int64 (B, L): words between CLIP's start and end, padded with 0.
        """
        words, sentence = self.backbone.read(tokens)
        joined = self.neck(features, sentence)
        decoded = self.decoder(joined, words, tokens == 0)
        return self.proj(decoded, sentence)
