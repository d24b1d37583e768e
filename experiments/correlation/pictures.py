"""Pictures whose style is certain: photos that a frozen painter has painted in built-in styles."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from datamodules.images import fit_within, load_picture, to_tensor
from lightning_modules.generators.painter import StyleConditioned, code_of, multistyle, read_style
from lightning_modules.generators.painter_styles import PainterStyle

PHOTOS = ("chelsea", "coffee", "rocket", "astronaut", "motorcycle_left", "camera")
SIZE = 256  # px, longer side
WEIGHTS = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)  # strengths of a style
STRENGTH_PHOTOS = (0, 3)  # indices of the photos on which strength is measured


@dataclass(frozen=True)
class Shots:
    """Pictures (1, 3, H, W) in [0, 1] of one style.

    paintings: each photo in the style, before any optimisation.
    blends:    per photo of STRENGTH_PHOTOS, the photo mixed with its painting, at each of WEIGHTS.
    codes:     the same photos painted in codes between a plain one and the style's.
    swatch:    the style's own picture; None for a painting, which has none.
    """

    paintings: list[Tensor]
    blends: list[list[Tensor]]
    codes: list[list[Tensor]]
    swatch: Tensor | None


def photo(name: str, size: int = SIZE) -> Tensor:
    """Picture of scikit-image (1, 3, H, W) in [0, 1], its longer side of `size` px."""
    return to_tensor(fit_within(load_picture(f"skimage:{name}"), size))[None]


@torch.no_grad()
def shots(style: PainterStyle, photos: Sequence[Tensor]) -> Shots:
    """All pictures of a style from photos (1, 3, H, W)."""
    network, code = code_of(style)
    paintings = [network(content, code) for content in photos]
    places = [k for k in STRENGTH_PHOTOS if k < len(photos)]
    plain = [plain_code(network, photos[k]) for k in places]
    return Shots(
        paintings,
        [[torch.lerp(photos[k], paintings[k], weight) for weight in WEIGHTS] for k in places],
        [
            [network(photos[k], torch.lerp(start, code, weight)) for weight in WEIGHTS]
            for k, start in zip(places, plain, strict=True)
        ],
        style.picture() if style.swatch else None,
    )


def plain_code(network: StyleConditioned, content: Tensor) -> Tensor:
    """Code of no style in particular: the mean of the paintings', or the one read from the photo.

    A photo painted in its own style changes little (Ghiasi et al. 2017); the network of paintings
    has no such code.
    """
    paintings, every = multistyle()
    return every.mean(0) if network is paintings else read_style(content)[1]
