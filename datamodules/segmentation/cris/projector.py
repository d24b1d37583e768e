"""CRIS's projector: the sentence becomes a convolution kernel, which marks its object."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

from datamodules.segmentation.cris.neck import conv_norm_relu

KERNEL = 3  # px along each side


class Projector(nn.Module):
    """Features (B, width, h, w) and sentences (B, sentence) to logits (B, 1, 4 h, 4 w)."""

    def __init__(self, width: int, sentence: int) -> None:
        super().__init__()
        half = width // 2
        self.vis = nn.Sequential(
            nn.Upsample(scale_factor=2, mode="bilinear"),
            conv_norm_relu(width, width, 3),
            nn.Upsample(scale_factor=2, mode="bilinear"),
            conv_norm_relu(width, half, 3),
            nn.Conv2d(half, half, 1),
        )
        self.txt = nn.Linear(sentence, half * KERNEL**2 + 1)

    def forward(self, features: Tensor, sentence: Tensor) -> Tensor:
        features, numbers = self.vis(features), self.txt(sentence)
        count, channels = features.shape[:2]
        kernels = numbers[:, :-1].reshape(count, channels, KERNEL, KERNEL)
        # As groups of one convolution, so that each picture meets the kernel of its own sentence.
        side_by_side = features.flatten(0, 1)[None]
        logits = F.conv2d(side_by_side, kernels, numbers[:, -1], padding=KERNEL // 2, groups=count)
        return logits.transpose(0, 1)
