"""Small U-Net with trained starts, from which styles are reached in fewer steps than by StyleNet.

Half as many weights as StyleNet and about a quarter of its arithmetic: one convolution per level,
added skips, reflected edges. The learned start blends random weights with weights from which many
styles can be reached in few steps (`experiments/make/learned_start.py`), as in shrink and perturb
(Ash and Adams 2020, arXiv 1910.08475); with learned weights alone, different seeds led to similar
colours. The identity start reproduces the photo, by weights from
`experiments/make/identity_start.py`. Instance norm erases the contrast and the colour cast of a
picture, which no weights can contain; a fit of the last layer restores them. docs/performance.md,
"Fewer steps", compares the starts.
"""

from __future__ import annotations

from functools import partial
from itertools import pairwise
from typing import Literal

import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional as F

from datamodules.models import packaged
from datamodules.support.errors import AtelierError
from datamodules.task import StyleBatch
from lightning_modules.generators.base import Generator

WIDTH = 16  # channels at full resolution of the trained starts
INSTEAD = "take the file from Atelier's repository, or leave --model.generator.start at random"
IDENTITY = packaged.EmbeddedFile(
    "lightning_modules",
    "generators/small_unet_identity.safetensors",
    "32b4b4fb9f13b511edb13e50a7d96b482a85d1188288c074bea65952ede77703",
    INSTEAD,
)
LEARNED = packaged.EmbeddedFile(
    "lightning_modules",
    "generators/small_unet_learned.safetensors",
    "b3cb194105f4be718eafb921a37616a36f7e057baecbcc5596333f3a5ab8f756",
    INSTEAD,
)
# File and blending weight of each trained start; the rest is random.
STARTS = {"identity": (IDENTITY, 1.0), "learned": (LEARNED, 0.7)}
Start = Literal["random", "learned", "identity"]


def _block(inputs: int, outputs: int, stride: int = 1) -> nn.Sequential:
    """3x3 convolution, instance norm, ReLU. Edges are reflected: zeros would darken the frame."""
    convolution = nn.Conv2d(inputs, outputs, 3, stride, padding=1, padding_mode="reflect")
    return nn.Sequential(convolution, nn.InstanceNorm2d(outputs, affine=True), nn.ReLU())


class SmallUNet(Generator):
    """U-Net from content image to stylized image, both (N, 3, H, W) in [0, 1], at any size.

    Three levels down and three up with 1x1 skips, instance norm, sigmoid output.

    Args:
        width: channels at full resolution, doubled at each level down.
        start: first weights: random; learned, from which styles are reached in few steps, blended
            with some random ones; identity, which reproduce the photo. The latter two need
            width 16.
    """

    stackable = True

    def __init__(self, width: int = WIDTH, start: Start = "random") -> None:
        super().__init__()
        self.from_identity = start == "identity"
        if start in STARTS and width != WIDTH:
            raise AtelierError(
                f"SmallUNet's {start} start has width {WIDTH}, not {width}; leave the width out, "
                "or start from random"
            )
        widths = [width, 2 * width, 4 * width, 8 * width]
        levels = list(pairwise(widths))
        self.inward = _block(3, width)
        self.down = nn.ModuleList(_block(fine, coarse, stride=2) for fine, coarse in levels)
        self.bottom = _block(widths[-1], widths[-1])
        self.skip = nn.ModuleList(nn.Conv2d(fine, fine, 1) for fine, _ in reversed(levels))
        self.up = nn.ModuleList(_block(coarse, fine) for fine, coarse in reversed(levels))
        self.outward = nn.Conv2d(width, 3, 3, padding=1, padding_mode="reflect")
        if start in STARTS:
            self._blend(*STARTS[start])

    @torch.no_grad()
    def _blend(self, file: packaged.EmbeddedFile, share: float) -> None:
        trained = load_file(packaged.locate(file))
        for name, weights in self.named_parameters():
            weights.lerp_(trained[name].to(weights.dtype), share)

    @torch.no_grad()
    def start(self, batch: StyleBatch) -> None:
        """Fit the last layer to the photo if the start is the identity."""
        if self.from_identity:
            fitted = fit_colors(self.logits(batch.content), batch.content)[0]
            mix, shift = fitted[:, :3], fitted[:, 3]
            self.outward.weight.copy_(torch.einsum("oi,i...->o...", mix, self.outward.weight))
            self.outward.bias.copy_(mix @ self.outward.bias + shift)

    def forward(self, content: Tensor) -> Tensor:
        return torch.sigmoid(self.logits(content))

    def logits(self, content: Tensor) -> Tensor:
        """Output before the sigmoid, (N, 3, H, W)."""
        height, width = content.shape[-2:]
        # Multiples of 8, and at least 16 so that the coarsest level has neighbours to reflect.
        padded = (max(16, -(-height // 8) * 8), max(16, -(-width // 8) * 8))
        margins = (0, padded[1] - width, 0, padded[0] - height)
        x = self.part(self.inward, F.pad(content, margins, mode="replicate"))
        fine = []
        for down in self.down:
            fine.append(x)
            x = self.part(down, x)
        x = self.part(self.bottom, x)
        for skip, up in zip(self.skip, self.up, strict=True):
            x = self.part(partial(_upsample, up), x) + skip(fine.pop())
        return self.part(self.outward, x)[..., :height, :width]


def _upsample(block: nn.Module, x: Tensor) -> Tensor:
    return block(F.interpolate(x, scale_factor=2, mode="nearest"))


def fit_colors(logits: Tensor, pictures: Tensor) -> Tensor:
    """Colour mix and shift (N, 3, 4) that bring `logits` as near as possible to the pictures'.

    logits, pictures: (N, 3, H, W), pictures in [0, 1]. Least squares over the pixels, weighted by
    the slope of the sigmoid, so that the error of the picture counts and not that of its logits.
    """
    goal = pictures.flatten(2).clamp(0.02, 0.98).unsqueeze(-1)  # (N, 3, P, 1)
    slope = goal * (1 - goal)
    inputs = F.pad(logits.flatten(2), (0, 0, 0, 1), value=1.0).mT.unsqueeze(1)  # (N, 1, P, 4)
    left, right = slope * inputs, slope * goal.logit()
    # A small ridge term, because a grey or flat picture does not determine the mix.
    ridge = 1e-6 * left.shape[2] * torch.eye(4, device=left.device)
    return torch.linalg.solve(left.mT @ left + ridge, left.mT @ right).squeeze(-1)
