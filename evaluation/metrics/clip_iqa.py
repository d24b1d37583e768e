"""CLIP-IQA: whether CLIP finds a picture nearer to "Good photo." than to "Bad photo."

Wang et al. 2023, eq. 2: the first share of the softmax of a picture's scaled cosines with the two
texts. The image tower is CLIP's RN50 without its positional embedding, so that a picture keeps its
size. piq computes it; its own class downloads a copy of OpenAI's TorchScript archive, which would
run code. Here the same network gets open_clip's file of the same weights.

The score is CLIP's opinion. A run that optimised CLIP has optimised its judge.
"""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from datamodules.models.published import load_into, require
from evaluation.metrics import scores as declared
from evaluation.metrics.base import PictureMetric, Pictures
from evaluation.metrics.perceptual import other_weights

PUBLISHED = "open_clip:RN50/openai"
INSTEAD = "the score is left out: no other network stands for CLIP-IQA"
PROMPTS = ("Good photo.", "Bad photo.")


class CLIPIQANetwork(nn.Module):
    """Frozen network from pictures (N, 3, H, W) in [0, 1], 32 px a side or more, to scores (N,).

    Args:
        weights: a file of CLIP RN50, by open_clip's name or its path.
    """

    def __init__(self, weights: str = PUBLISHED) -> None:
        super().__init__()
        import open_clip

        load_into(self, require(weights, INSTEAD), "CLIP RN50", self._converted)
        self.requires_grad_(False).eval()
        anchors = self.network.encode_text(open_clip.tokenize(list(PROMPTS)))
        self.register_buffer("anchors", F.normalize(anchors, dim=-1), persistent=False)
        statistics = open_clip.OPENAI_DATASET_MEAN, open_clip.OPENAI_DATASET_STD
        for name, values in zip(("mean", "spread"), statistics, strict=True):
            self.register_buffer(name, torch.tensor(values).view(3, 1, 1), persistent=False)

    def _converted(self, published: dict) -> dict[str, Tensor]:
        """The state dict under our names; builds the network."""
        from piq.feature_extractors.clip import build_model

        if "visual.attnpool.c_proj.weight" not in published:
            raise ValueError("its image tower is no ResNet of CLIP")
        self.network = build_model(dict(published)).float()
        return {f"network.{name}": value for name, value in self.network.state_dict().items()}

    def train(self, mode: bool = True) -> CLIPIQANetwork:
        return super().train(False)  # batch norms stay in evaluation mode

    def forward(self, image: Tensor) -> Tensor:
        normalised = (image - self.mean) / self.spread
        features = F.normalize(self.network.encode_image(normalised, pos_embedding=False), dim=-1)
        logits = self.network.logit_scale.exp() * features @ self.anchors.T
        return logits.softmax(1)[:, 0]


class CLIPIQA(PictureMetric):
    """CLIP-IQA of the output.

    Args:
        weights: a file of CLIP RN50, by open_clip's name or its path.
    """

    scores: ClassVar = declared.CLIP_IQA

    def __init__(self, weights: str = PUBLISHED) -> None:
        super().__init__(network=other_weights(weights, PUBLISHED))
        self.judge = CLIPIQANetwork(weights)

    def score(self, pictures: Pictures) -> dict[str, Tensor]:
        # One at a time: they keep their size, which may be large.
        return {"clip_iqa": torch.cat([self.judge(image[None]) for image in pictures.output])}
