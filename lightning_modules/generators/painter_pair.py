"""The embedded painter in two halves: its first three convolutions, and what follows as decoders.

No package ships AdaIN's networks. This encoder is much shallower than VGG-19 up to relu4_1: it
keeps the picture at a quarter of its size, and edges rather than things. In return its decoders
start from a painter in the style that is nearest to their text, and paint from the first step on.
"""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor, nn

from datamodules.images import load_picture, to_tensor
from lightning_modules.generators.painter import (
    DOWN,
    StyleConditioned,
    arbitrary,
    multistyle,
    read_style,
    restyle_by,
)
from lightning_modules.generators.painter_styles import color_in, nearest_style
from lightning_modules.generators.pairs import Pair

PHOTO = "skimage:astronaut"  # painted in a style of the other network, to be read


class PainterPair(Pair):
    """Halves of the painter of arbitrary styles.

    Args:
        smooth: filters against a woven mesh, as in Painter.
    """

    def __init__(self, smooth: bool = True) -> None:
        super().__init__()
        self.smooth = smooth
        self.painter = arbitrary()[0]

    def encode(self, content: Tensor) -> Tensor:
        return self.painter.contract(content)

    def decoder(self, style: str) -> nn.Module:
        """The painter's second half in the style that is nearest to a text, by the catalogue."""
        code = _nearest_code(style) if style else torch.zeros(2, sum(self.painter.widths))
        return PainterDecoder(self.painter, code, self.smooth)


class PainterDecoder(nn.Module):
    """Residual blocks and enlargements with scales and shifts of their own, all of which learn.

    Args:
        painter: network whose second half this is at the start. code: scales and shifts, (2, W).
        smooth: filters against a woven mesh.
    """

    def __init__(self, painter: StyleConditioned, code: Tensor, smooth: bool) -> None:
        super().__init__()
        # Contiguous, so that all weights can be one vector.
        self.kernels = nn.ParameterList(
            kernel.clone(memory_format=torch.contiguous_format) for kernel in painter.filters[DOWN:]
        )
        self.code = nn.Parameter(code.clone())
        self.expand = partial(painter.expand, smooth=smooth)

    def forward(self, maps: Tensor) -> Tensor:
        widths = [len(kernel) for kernel in self.kernels]
        return self.expand(maps, restyle_by(self.code, widths), kernels=list(self.kernels))


def _nearest_code(text: str) -> Tensor:
    """Code (2, W) of the catalogue's style that is nearest to a text.

    Paintings belong to another network; a photo painted by it is read by the predictor.
    """
    style, words, _ = nearest_style(text)
    if style.swatch:
        return read_style(style.picture(color_in(text, words)))[1]
    network, codes = multistyle()
    photo = to_tensor(load_picture(PHOTO))[None]
    return read_style(network(photo, codes[style.code]))[1]
