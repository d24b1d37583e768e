"""Saliency of any kind of object: the small version of U^2-Net (Qin et al. 2020).

A U-Net whose stages are U-Nets themselves (arXiv 2005.09007, fig. 5), trained on photos with masks
of their salient objects, without classes. In the published weights, batch norms are folded into the
convolutions; the file stores the convolutions in the order of their computation.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from datamodules.models.cache import once_per_process
from datamodules.models.embedded_networks import onnx_weights
from datamodules.models.packaged import U2NETP
from datamodules.segmentation.operations.arrays import network_input, resize_array

SIDE = 320  # px; the network was trained on squares of this side
Box = tuple[int, int, int, int]  # top, left, bottom, right in px


class U2NetP(nn.Module):
    """Network from normalised pictures (N, 3, H, W), H and W about 320, to (N, H, W) in [0, 1].

    Args:
        weights: tensors of u2netp.onnx by name: kernels and biases in turn, numbered in the order
            of their use, and the named ones of the side outputs.
    """

    def __init__(self, weights: dict[str, Tensor]) -> None:
        super().__init__()
        numbered = [weights[name] for name in sorted(filter(str.isdigit, weights), key=int)]
        fused = [weights[f"outconv.{part}"] for part in ("weight", "bias")]
        sides = [weights[f"side{n}.{part}"] for n in range(1, 7) for part in ("weight", "bias")]
        tensors = [t.to(memory_format=torch.channels_last) if t.ndim == 4 else t for t in numbered]
        self.numbered = nn.ParameterList(tensors).requires_grad_(False)
        self.sides = nn.ParameterList(sides).requires_grad_(False)
        self.fused = nn.ParameterList(fused).requires_grad_(False)

    def forward(self, x: Tensor) -> Tensor:
        size, steps = x.shape[-2:], _pairs(self.numbered)
        encoded = []
        for depth in (7, 6, 5, 4):
            encoded.append(_pooling_block(x, steps, depth))
            x = F.max_pool2d(encoded[-1], 2, ceil_mode=True)
        encoded.append(_dilated_block(x, steps))
        decoded = [_dilated_block(F.max_pool2d(encoded[-1], 2, ceil_mode=True), steps)]
        decoded.append(_dilated_block(_joined(decoded[-1], encoded.pop()), steps))
        for depth in (4, 5, 6, 7):
            x = _joined(decoded[-1], encoded.pop())
            decoded.append(_pooling_block(x, steps, depth))
        side_outputs = [
            _resized(F.conv2d(x, kernel, bias, padding=1), size)
            for x, (kernel, bias) in zip(decoded[::-1], _pairs(self.sides), strict=True)
        ]
        return F.conv2d(torch.cat(side_outputs, 1), *self.fused).sigmoid()[:, 0]


Steps = Iterator[tuple[Tensor, Tensor]]


def _pairs(tensors: nn.ParameterList) -> Steps:
    return zip(tensors[::2], tensors[1::2], strict=True)


def _resized(x: Tensor, size: torch.Size) -> Tensor:
    return F.interpolate(x, size, mode="bilinear", align_corners=False)


def _joined(low: Tensor, high: Tensor) -> Tensor:
    """Channels of a deeper stage, upsampled, in front of those of the stage's skip connection."""
    return torch.cat([_resized(low, high.shape[-2:]), high], 1)


def _step(x: Tensor, steps: Steps, dilation: int = 1) -> Tensor:
    return F.conv2d(x, *next(steps), padding=dilation, dilation=dilation).relu_()


def _pooling_block(x: Tensor, steps: Steps, depth: int) -> Tensor:
    """Residual U-block RSU-L with L = `depth` levels, each but the last at half the size before."""
    whole = _step(x, steps)
    levels = [_step(whole, steps)]
    for _ in range(depth - 2):
        levels.append(_step(F.max_pool2d(levels[-1], 2, ceil_mode=True), steps))
    x = _step(levels[-1], steps, dilation=2)
    for level in reversed(levels):
        x = _step(_joined(x, level), steps)
    return x + whole


def _dilated_block(x: Tensor, steps: Steps) -> Tensor:
    """Residual U-block RSU-4F: dilated convolutions at one size instead of pooling."""
    whole = _step(x, steps)
    levels = [_step(whole, steps)]
    for dilation in (2, 4):
        levels.append(_step(levels[-1], steps, dilation))
    x = _step(levels[-1], steps, dilation=8)
    for dilation, level in zip((4, 2, 1), reversed(levels), strict=True):
        x = _step(torch.cat([x, level], 1), steps, dilation)
    return x + whole


@once_per_process
def u2netp() -> U2NetP:
    """The U^2-Net that all callers in this process share."""
    return U2NetP(onnx_weights(U2NETP))


@torch.no_grad()
def salient(picture: np.ndarray, box: Box) -> np.ndarray:
    """Saliency in [0, 1] of each pixel of a picture within a box, float32 (H, W); 0 outside it.

    picture: uint8 (H, W, 3). The box is squashed to the square on which the network was trained.
    """
    top, left, bottom, right = box
    window = picture[top:bottom, left:right]
    saliency = u2netp()(network_input([resize_array(window, SIDE, SIDE)]))[0].numpy()
    whole = np.zeros(picture.shape[:2], np.float32)
    whole[top:bottom, left:right] = resize_array(saliency, *window.shape[:2])
    return whole


def box_around(region: np.ndarray, margin: float) -> Box:
    """Bounding box of a region, bool (H, W), not empty; the margin is a share of its sides."""
    rows, columns = np.flatnonzero(region.any(1)), np.flatnonzero(region.any(0))
    down, across = (int(margin * (np.ptp(n) + 1)) + 1 for n in (rows, columns))
    height, width = region.shape
    return (
        max(0, int(rows[0]) - down),
        max(0, int(columns[0]) - across),
        min(height, int(rows[-1]) + down + 1),
        min(width, int(columns[-1]) + across + 1),
    )
