"""The object that stands out, whatever it is: U^2-Net's small version (Qin et al. 2020).

A U-Net whose every stage is a U-Net (arXiv 2005.09007, fig. 5), trained on photos with masks of
their salient objects, without classes. The published weights have the batch norms folded into the
convolutions; their order in the file is the order of the computation.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from datamodules.models.packaged import U2NETP, imagenet_input, onnx_weights
from datamodules.segmentation.operations.arrays import resize

SIDE = 320  # px: of the square pictures that the network was trained on
Box = tuple[int, int, int, int]  # top, left, bottom, right in px


class U2NetP(nn.Module):
    """Saliency of pictures: (N, 3, H, W), normalised, H and W about 320, to (N, H, W) in [0, 1].

    Args:
        weights: the tensors of u2netp.onnx by name: numbered pairs of a kernel and a bias in the
            order of their use, and the named ones of the side outputs.
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
        answers = [
            _resized(F.conv2d(x, kernel, bias, padding=1), size)
            for x, (kernel, bias) in zip(decoded[::-1], _pairs(self.sides), strict=True)
        ]
        return F.conv2d(torch.cat(answers, 1), *self.fused).sigmoid()[:, 0]


Steps = Iterator[tuple[Tensor, Tensor]]


def _pairs(tensors: nn.ParameterList) -> Steps:
    return zip(tensors[::2], tensors[1::2], strict=True)


def _resized(x: Tensor, size: torch.Size) -> Tensor:
    return F.interpolate(x, size, mode="bilinear", align_corners=False)


def _joined(low: Tensor, high: Tensor) -> Tensor:
    """What comes from below, at the size of what was kept, and that."""
    return torch.cat([_resized(low, high.shape[-2:]), high], 1)


def _step(x: Tensor, steps: Steps, dilation: int = 1) -> Tensor:
    return F.conv2d(x, *next(steps), padding=dilation, dilation=dilation).relu_()


def _pooling_block(x: Tensor, steps: Steps, depth: int) -> Tensor:
    """A residual U-block (RSU-L): `depth` levels, halved from one to the next but the last."""
    whole = _step(x, steps)
    levels = [_step(whole, steps)]
    for _ in range(depth - 2):
        levels.append(_step(F.max_pool2d(levels[-1], 2, ceil_mode=True), steps))
    x = _step(levels[-1], steps, dilation=2)
    for level in reversed(levels):
        x = _step(_joined(x, level), steps)
    return x + whole


def _dilated_block(x: Tensor, steps: Steps) -> Tensor:
    """The same at one size (RSU-4F): dilation instead of pooling."""
    whole = _step(x, steps)
    levels = [_step(whole, steps)]
    for dilation in (2, 4):
        levels.append(_step(levels[-1], steps, dilation))
    x = _step(levels[-1], steps, dilation=8)
    for dilation, level in zip((4, 2, 1), reversed(levels), strict=True):
        x = _step(torch.cat([x, level], 1), steps, dilation)
    return x + whole


@cache
def u2netp() -> U2NetP:
    """The one U^2-Net of this process."""
    return U2NetP(onnx_weights(U2NETP))


@torch.no_grad()
def salient(picture: np.ndarray, box: Box) -> np.ndarray:
    """How much each place stands out from what the box shows, float32 (H, W) in [0, 1].

    picture: uint8 (H, W, 3); beyond the box all is 0. The box is squashed to the square on which
    the network was trained.
    """
    top, left, bottom, right = box
    window = picture[top:bottom, left:right]
    square = torch.from_numpy(resize(window, SIDE, SIDE)).permute(2, 0, 1)[None].float() / 255
    answer = u2netp()(imagenet_input(square))[0].numpy()
    whole = np.zeros(picture.shape[:2], np.float32)
    whole[top:bottom, left:right] = resize(answer, *window.shape[:2])
    return whole


def box_around(region: np.ndarray, margin: float) -> Box:
    """The box of a region, bool (H, W), not empty, with a margin in shares of its sides."""
    rows, columns = np.flatnonzero(region.any(1)), np.flatnonzero(region.any(0))
    down, across = (int(margin * (np.ptp(n) + 1)) + 1 for n in (rows, columns))
    height, width = region.shape
    return (
        max(0, int(rows[0]) - down),
        max(0, int(columns[0]) - across),
        min(height, int(rows[-1]) + down + 1),
        min(width, int(columns[-1]) + across + 1),
    )
