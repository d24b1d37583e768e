"""CRIS's neck: three scales of picture features and the sentence, joined at a stride of 16 px."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F


def conv_norm_relu(channels: int, out: int, size: int) -> nn.Sequential:
    """Convolution without bias that keeps height and width, batch norm, ReLU."""
    convolution = nn.Conv2d(channels, out, size, padding=size // 2, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(out), nn.ReLU(inplace=True))


def doubled(features: Tensor) -> Tensor:
    """Features at twice their height and width, bilinear."""
    return F.interpolate(features, scale_factor=2, mode="bilinear", align_corners=False)


class Neck(nn.Module):
    """Picture features at strides of 8, 16 and 32 px and a sentence to (B, out[1], h, w).

    Args:
        channels: of the three picture features.
        out: channels that they get here; out[1] is the width of the result.
        sentence: channels of the sentence.
    """

    def __init__(self, channels: Sequence[int], out: Sequence[int], sentence: int) -> None:
        super().__init__()
        fine, middle, coarse = out
        self.txt_proj = nn.Sequential(
            nn.Linear(sentence, coarse, bias=False), nn.BatchNorm1d(coarse), nn.ReLU()
        )
        self.f1_v_proj = conv_norm_relu(channels[2], coarse, 1)
        self.norm_layer = nn.Sequential(nn.BatchNorm2d(coarse), nn.ReLU())
        self.f2_v_proj = conv_norm_relu(channels[1], middle, 3)
        self.f2_cat = conv_norm_relu(middle + coarse, middle, 1)
        self.f3_v_proj = conv_norm_relu(channels[0], fine, 3)
        self.f3_cat = conv_norm_relu(fine + middle, middle, 1)
        self.f4_proj3 = conv_norm_relu(middle, middle, 3)
        self.f4_proj4 = conv_norm_relu(middle, middle, 3)
        self.f4_proj5 = conv_norm_relu(coarse, middle, 3)
        self.aggr = conv_norm_relu(3 * middle, middle, 1)
        self.coordconv = nn.Sequential(CoordConv(middle), conv_norm_relu(middle, middle, 3))

    def forward(self, pictures: Sequence[Tensor], sentence: Tensor) -> Tensor:
        fine, middle, coarse = pictures
        weights = self.txt_proj(sentence)[..., None, None]
        f5 = self.norm_layer(self.f1_v_proj(coarse) * weights)
        f4 = self.f2_cat(torch.cat([self.f2_v_proj(middle), doubled(f5)], 1))
        f3 = self.f3_cat(torch.cat([F.avg_pool2d(self.f3_v_proj(fine), 2), f4], 1))
        scales = [self.f4_proj3(f3), self.f4_proj4(f4), doubled(self.f4_proj5(f5))]
        return self.coordconv(self.aggr(torch.cat(scales, 1)))


class CoordConv(nn.Module):
    """Convolution that also sees where it is: two more channels, x and y, each from -1 to 1."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv1 = conv_norm_relu(channels + 2, channels, 3)

    def forward(self, features: Tensor) -> Tensor:
        count, _, height, width = features.shape
        y, x = torch.meshgrid(
            torch.linspace(-1, 1, height), torch.linspace(-1, 1, width), indexing="ij"
        )
        places = torch.stack([x, y]).expand(count, -1, -1, -1)
        return self.conv1(torch.cat([features, places], 1))
