"""One value per pixel of a mask's file, whether it is grey, a palette, of numbers or in colour."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from PIL import Image, ImageChops

from datamodules.reading.depth import white_of

LUMA = np.array([0.299, 0.587, 0.114])  # shares of red, green and blue in brightness
STRIP = 2**22  # px that are counted at a time
NEAR = 48  # of 255; largest distance of a colour from the line between two others
STRAY = 0.015  # share of the picture that may lie farther from it


@dataclass(frozen=True)
class Plane:
    """Values (H, W) of a mask, integers >= 0 and small enough for a table of them.

    white:   value that means 1 where values are strengths; 0 where they are names.
    names:   a value as the file has it.
    colours: red, green and blue (K, 3) of each value that is a name; None if names are numbers.
    """

    values: np.ndarray
    white: int
    names: Callable[[int], str] = str
    colours: np.ndarray | None = None

    @cached_property
    def counts(self) -> dict[int, int]:
        """Number of pixels of every value that occurs, the darkest value first."""
        strips = np.array_split(self.values.ravel(), self.values.size // STRIP + 1)
        size = int(self.values.max()) + 1
        total = sum(np.bincount(strip, minlength=size) for strip in strips)
        levels = [int(value) for value in np.flatnonzero(total)]
        return {v: int(total[v]) for v in sorted(levels, key=lambda v: (self._brightness(v), v))}

    def _brightness(self, value: int) -> float:
        return value if self.colours is None else float(self.colours[value] @ LUMA)

    def mapped(self, strength: Callable[[np.ndarray], np.ndarray]) -> Image.Image:
        """The mask (mode L, 255 = 1) by the strength, in [0, 1], of each value."""
        table = strength(np.arange(int(self.values.max()) + 1))
        return Image.fromarray((255 * table).round().clip(0, 255).astype(np.uint8)[self.values])


def read_plane(picture: Image.Image, tolerance: int = 0) -> Plane:
    """The values of a mask's file, its transparency left out.

    tolerance: difference of red, green and blue, of 255, that is still grey.
    """
    if picture.mode == "F":
        return _of_floats(np.asarray(picture))
    if picture.mode.startswith("I"):
        return _of_integers(np.asarray(picture))
    if picture.mode in ("1", "L", "LA"):
        return Plane(np.asarray(picture.convert("L")), 255)
    colours = picture.convert("RGB")
    if _is_grey(colours, tolerance):
        return Plane(np.asarray(colours.getchannel("G")), 255)
    if picture.mode == "P":
        palette = np.array(picture.getpalette("RGB")).reshape(-1, 3)
        return Plane(np.asarray(picture), 0, colours=palette)
    return _of_colours(np.asarray(colours))


def _is_grey(colours: Image.Image, tolerance: int) -> bool:
    red, green, blue = colours.split()
    differences = [ImageChops.difference(green, other) for other in (red, blue)]
    return all(difference.getextrema()[1] <= tolerance for difference in differences)


def _of_floats(values: np.ndarray) -> Plane:
    if (values == values.round()).all():
        if values.max() <= 1:
            return Plane(values.clip(0).astype(np.uint8), 1)
        return _of_integers(values.astype(np.int64))
    white = white_of(values)
    scaled = (values * (65535 / white)).round().clip(0, 65535).astype(np.uint16)
    return Plane(scaled, 65535, lambda value: f"{value * white / 65535:.3g}")


def _of_integers(values: np.ndarray) -> Plane:
    if values.min() >= 0 and values.max() <= 65535:  # a file of 16 bits may hold values of 8
        return Plane(values.astype(np.uint16), 255 if values.max() <= 255 else 65535)
    levels, ranks = np.unique(values, return_inverse=True)
    return Plane(
        ranks, 0, lambda rank: str(levels[rank]), np.stack([np.arange(len(levels))] * 3, 1)
    )


def _of_colours(colours: np.ndarray) -> Plane:
    codes = colours.astype(np.uint32) @ np.array([65536, 256, 1], np.uint32)
    levels, ranks = np.unique(codes, return_inverse=True)
    channels = np.stack([levels >> 16, levels >> 8 & 255, levels & 255], 1)
    return Plane(ranks, 0, lambda rank: f"#{levels[rank]:06x}", channels)


def between_two_colours(plane: Plane) -> Plane | None:
    """Colours as greys from 0 to 255, where all lie between two: red on black with soft edges.

    The brighter of the two is white or, above black, as bright as it is. None for other pictures.
    """
    if plane.colours is None:
        return None
    levels = np.array(list(plane.counts))
    counts = np.array(list(plane.counts.values())) / plane.values.size
    colours = plane.colours[levels].astype(float)
    one = colours[counts.argmax()]
    often = colours[counts >= counts.max() / 1000]
    other = often[np.linalg.norm(often - one, axis=1).argmax()]
    axis = other - one
    share = (colours - one) @ axis / max(axis @ axis, 1)
    distance = np.linalg.norm(colours - one - share[:, None] * axis, axis=1)
    if counts[distance > NEAR].sum() > STRAY:
        return None
    if axis @ LUMA < 0:
        one, other, share = other, one, 1 - share
    top = other.max() if one.max() < NEAR else 255
    table = np.zeros(int(levels.max()) + 1, np.uint8)
    table[levels] = (share * top).round().clip(0, 255)
    return Plane(table[plane.values], 255)
