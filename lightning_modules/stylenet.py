"""StyleNet: the small U-Net that is optimised for one picture (CLIPstyler, figure 2)."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lightning_modules.generator import Generator


def _block(inputs: int, outputs: int, stride: int = 1) -> nn.Sequential:
    """3x3 convolution (reflected edges: zeros would darken the frame), instance norm, ReLU."""
    convolution = nn.Conv2d(inputs, outputs, 3, stride, padding=1, padding_mode="reflect")
    return nn.Sequential(convolution, nn.InstanceNorm2d(outputs, affine=True), nn.ReLU())


class StyleNet(Generator):
    """Content image in, stylized image out, both (N, 3, H, W) in [0, 1], at any size.

    Three levels down and three up with 1x1 skips, instance norm, sigmoid output.

    Args:
        width: channels at full resolution, doubled at each level down.
    """

    def __init__(self, width: int = 16) -> None:
        super().__init__()
        widths = [width, 2 * width, 4 * width, 8 * width]
        levels = list(pairwise(widths))
        self.inward = _block(3, width)
        self.down = nn.ModuleList(_block(fine, coarse, stride=2) for fine, coarse in levels)
        self.bottom = _block(widths[-1], widths[-1])
        self.skip = nn.ModuleList(nn.Conv2d(fine, fine, 1) for fine, _ in reversed(levels))
        self.up = nn.ModuleList(_block(coarse, fine) for fine, coarse in reversed(levels))
        self.outward = nn.Conv2d(width, 3, 3, padding=1, padding_mode="reflect")

    def forward(self, content: Tensor) -> Tensor:
        height, width = content.shape[-2:]
        # Multiples of 8, and at least 16 so that the coarsest level has neighbours to reflect.
        padded = (max(16, -(-height // 8) * 8), max(16, -(-width // 8) * 8))
        margins = (0, padded[1] - width, 0, padded[0] - height)
        x = self.inward(F.pad(content, margins, mode="replicate"))
        fine = []
        for down in self.down:
            fine.append(x)
            x = down(x)
        x = self.bottom(x)
        for skip, up in zip(self.skip, self.up, strict=True):
            x = up(F.interpolate(x, scale_factor=2, mode="nearest")) + skip(fine.pop())
        return torch.sigmoid(self.outward(x))[..., :height, :width]
