"""StyleNet: the U-Net that the papers optimise for one picture (CLIPstyler, figure 2).

The network of the published codes of CLIPstyler, Sem-CS and Soulstyler, weight for weight: 615,267
numbers in 64 tensors, whose names are those of the published code. The papers describe it only as a
lightweight U-Net.
"""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lightning_modules.generators.base import Generator
from lightning_modules.generators.norms import instance_norm

DEPTH = 3  # levels, each at half the side of the one above
STRIDE = 2**DEPTH


class InstanceNorm(nn.Module):
    """Instance norm without weights."""

    def forward(self, x: Tensor) -> Tensor:
        return instance_norm(x)


class DoubleBlock(nn.Module):
    """Two 3x3 convolutions, each with instance norm and ReLU, plus a 1x1 convolution of the input.

    Args:
        inputs, outputs: channels.
        downsample: add `downsample`, a 4x4 convolution of stride 2 for the next level's input.
    """

    def __init__(self, inputs: int, outputs: int, downsample: bool = False) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for channels in (inputs, outputs):
            convolution = nn.Conv2d(channels, outputs, 3, padding=1)
            layers += [convolution, InstanceNorm(), nn.ReLU()]
        self.conv = nn.Sequential(*layers)
        self.skip = nn.Conv2d(inputs, outputs, 1)
        self.downsample = nn.Conv2d(outputs, outputs, 4, 2, padding=1) if downsample else None

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(x) + self.skip(x)


class StyleNet(Generator):
    """U-Net from content image to stylized image, both (N, 3, H, W) in [0, 1], at any size.

    The first weights are random, as PyTorch makes those of convolutions. A picture whose sides are
    no multiples of 8 is continued by its last row and column; the published code refuses it.

    Args:
        width: channels at full resolution, in the papers 16; 2, 4 and 8 times as many below.
    """

    stackable = True

    def __init__(self, width: int = 16) -> None:
        super().__init__()
        self.conv_init = nn.Conv2d(3, width, 1)
        self.init = DoubleBlock(width, width)
        self.down1 = DoubleBlock(width, width, downsample=True)
        self.down2 = DoubleBlock(width, 2 * width, downsample=True)
        self.down3 = DoubleBlock(2 * width, 4 * width, downsample=True)
        self.encoding = DoubleBlock(4 * width, 8 * width)
        self.up3 = DoubleBlock((8 + 4) * width, 4 * width)
        self.up2 = DoubleBlock((4 + 2) * width, 2 * width)
        self.up1 = DoubleBlock((2 + 1) * width, width)
        self.out = DoubleBlock(2 * width, width)
        self.conv_fin = nn.Conv2d(width, 3, 1)

    def forward(self, content: Tensor) -> Tensor:
        height, width = content.shape[-2:]
        # Instance norm needs two values per channel, so the coarsest level has at least two.
        rows, columns = (max(2, -(-side // STRIDE)) * STRIDE for side in (height, width))
        x = F.pad(content, (0, columns - width, 0, rows - height), mode="replicate")
        first = x = self.part(lambda picture: self.init(self.conv_init(picture)), x)
        fine = []
        for block in (self.down1, self.down2, self.down3):
            fine.append(self.part(block, x))
            x = block.downsample(fine[-1])
        x = self.part(self.encoding, x)
        for block in (self.up3, self.up2, self.up1):
            x = self.part(partial(_upsampled, block), x, fine.pop())
        x = self.part(lambda x, first: self.out(torch.cat([x, first], 1)), x, first)
        return torch.sigmoid(self.conv_fin(x))[..., :height, :width]


def _upsampled(block: nn.Module, x: Tensor, skip: Tensor) -> Tensor:
    x = F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)
    return block(torch.cat([x, skip], 1))
