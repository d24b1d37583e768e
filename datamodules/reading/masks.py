"""Masks from files, as people have them: where the object is, and how strongly it changes.

| file | mask |
|---|---|
| transparent in parts | what is opaque; of black and white, what is opaque and white |
| two values of any kind, sharp or with soft edges | the brighter one is the object |
| a ramp of values | soft: the region is wherever it is above 0, and the value is the strength |
| several values | labels of regions: refused, unless `value` says which one is the object |

With the value "strength" a file is a ramp of values, whatever it looks like.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image, ImageChops
from torch import Tensor

from datamodules.reading.colour import transparency
from datamodules.reading.levels import FAINT, SCATTER, near, regions_of, settled, with_edges
from datamodules.reading.opening import open_picture
from datamodules.reading.planes import Plane, between_two_colours, read_plane
from datamodules.support.errors import AtelierError

log = logging.getLogger(__name__)

LOSSY = ("JPEG", "MPO", "WEBP", "AVIF", "HEIF")  # formats that scatter values around the true ones
MOST_COLOURS = 256  # of labels; a picture of more colours is a photo or a drawing
LISTED = 8  # values that a sentence names
STRENGTH = "strength"  # in place of the object's values: all values are strengths of the change
NOTHING, EVERYTHING = 0.001, 0.98  # coverages beyond which a mask is probably a mistake


@dataclass(frozen=True)
class Mask:
    """A mask of a picture.

    values: float32 (H, W) in [0, 1], 1 = stylize in full.
    soft:   whether the values are strengths alone: the region is wherever they are above 0.
    """

    values: Tensor
    soft: bool = False

    @property
    def where(self) -> Tensor:
        """The region (H, W) in [0, 1], whatever the strength in it."""
        return (self.values > 0).float() if self.soft else self.values


@dataclass(frozen=True)
class MaskFile:
    """A mask's file and the values of the object in it, as `load_mask` takes them."""

    source: str
    value: str = ""

    def load(self, size: tuple[int, int]) -> Mask:
        """The mask of a picture of this width and height."""
        return load_mask(self.source, size, self.value)


def mask_files(sources: str | Sequence[str], values: str | Sequence[str]) -> list[MaskFile]:
    """Masks with their values: one value for each, one for all, or none.

    Raises AtelierError for another number of values.
    """
    files, names = (
        [each] if isinstance(each, str) and each else [*each] for each in (sources, values)
    )
    names = names * len(files) if len(names) == 1 else names or [""] * len(files)
    if len(names) != len(files):
        raise AtelierError(
            f"{len(names)} values are given for {len(files)} masks; give --mask-value once, or "
            "once for each --mask"
        )
    return [MaskFile(*pair) for pair in zip(files, names, strict=True)]


@dataclass(frozen=True)
class Reading:
    """The mask in a file (mode L, 255 = 1), `soft` as in `Mask`, and a remark for people."""

    mask: Image.Image
    soft: bool = False
    remark: str = ""


def load_mask(source: str, size: tuple[int, int], value: str = "", plain: bool = False) -> Mask:
    """Load a mask for a picture; a warning says what was made of a file that is not white on black.

    Args:
        source: path of a picture; see the table above.
        size: width and height of the picture, in px. A mask of another size is scaled if its
            aspect ratio agrees within 2%.
        value: the object's values or colours, with commas: "1", "2,3", "#ff0000"; "strength" for a
            ramp of few values; "" = as in the table.
        plain: the mask is one of Atelier's own, grey, and nothing about it needs interpreting.

    Raises:
        AtelierError: the file cannot be read, the aspect ratio differs, the mask is empty, or it
            is not clear what is the object.
    """
    picture = open_picture(source)
    if abs(picture.width * size[1] / (picture.height * size[0]) - 1) > 0.02:
        raise AtelierError(
            f"The mask {source} is {picture.width}x{picture.height} px, the picture has the "
            f"proportions {size[0]}x{size[1]}; give a mask drawn on this picture"
        )
    if plain:
        grey = picture.convert("L")
        reading = Reading(grey, soft=grey.getextrema()[1] < 128)
    else:
        reading = _of_value(picture, source, value) if value else _read(picture, source)
    if not reading.mask.getbbox():
        raise AtelierError(
            f"The mask {source} is empty: nothing would change; paint the object white on black"
        )
    if reading.remark:
        log.warning("The mask %s %s", source, reading.remark)
    mask = reading.mask
    mask = mask if mask.size == size else mask.resize(size, Image.Resampling.BILINEAR)
    return Mask(torch.from_numpy(np.array(mask)).float() / 255, reading.soft)


def warn_of_coverage(mask: Mask, source: str) -> None:
    """Log a warning for a mask of nearly everything or next to nothing."""
    covered = float((mask.where > 0.5).float().mean())
    if not NOTHING <= covered <= EVERYTHING:
        much = "nearly everything" if covered > 0.5 else "next to nothing"
        log.warning("The mask %s covers %s, %.2f%% of the picture", source, much, 100 * covered)


def _read(picture: Image.Image, source: str) -> Reading:
    """The mask that a file shows."""
    alpha = transparency(picture)
    if alpha and len(set(alpha.getextrema())) == 2:
        return _of_alpha(picture, alpha)
    if alpha and not alpha.getbbox():
        return Reading(alpha)
    lossy = picture.format in LOSSY
    plane = read_plane(picture, tolerance=SCATTER if lossy else 0)
    if not plane.white and len(plane.counts) > 2:
        plane = _greys(plane, source)
    plane = settled(plane) if lossy and plane.white == 255 else plane
    return _of_plane(plane, source, labelled=True)


def _of_alpha(picture: Image.Image, alpha: Image.Image) -> Reading:
    """The mask of a file that is transparent in parts."""
    colours = picture.convert("RGBA").convert("RGB")
    opaque = np.asarray(colours)[np.asarray(alpha) > 127].astype(np.int16)
    black, white = ((abs(opaque - end) < SCATTER).all(-1).mean() for end in (0, 255))
    if min(black, white) > 0.01 and black + white > 0.98:
        mask = ImageChops.multiply(alpha, colours.convert("L"))
        remark = (
            "is transparent in parts, elsewhere black and white: the opaque white is the object"
        )
    else:
        mask = alpha
        remark = "is transparent in parts: what is opaque is the object"
    reading = _of_plane(Plane(np.asarray(mask), 255), "", labelled=False)
    return Reading(reading.mask, reading.soft, remark)


def _greys(plane: Plane, source: str) -> Plane:
    """Colours between two as greys; AtelierError for labels in colours and for other pictures."""
    if len(plane.counts) <= MOST_COLOURS and len(regions := regions_of(plane)) > 2:
        raise _labels(plane, regions, source)
    greys = between_two_colours(plane)
    if greys is None:
        raise AtelierError(
            f"The mask {source} shows a picture of many colours; give one that is white where the "
            "object is and black elsewhere"
        )
    return greys


def _of_plane(plane: Plane, source: str, labelled: bool) -> Reading:
    """The mask by its values; labelled: whether several even areas are labels, to be refused."""
    levels = regions = [*plane.counts]
    if len(levels) > 2:
        regions = regions_of(plane)
        if len(regions) > 2 and labelled:
            raise _labels(plane, regions, source)
    if len(regions) == 2 and (len(levels) == 2 or with_edges(plane, *regions)):
        return _of_two(plane, *regions)
    if len(levels) == 1 and (levels[0] <= FAINT or levels[0] == plane.white or not plane.white):
        standard = levels[0] in (0, plane.white)
        remark = f"has no value but {plane.names(levels[0])}: everything is the object"
        return Reading(plane.mapped(lambda v: v > 0), remark="" if standard else remark)
    remark = "is soft: the region is wherever it is above 0, and its values are the strength there"
    return Reading(plane.mapped(lambda v: v / plane.white), True, remark)


def _of_two(plane: Plane, dark: int, bright: int) -> Reading:
    """The mask of two values, and of the edges between them."""
    standard = dark <= near(plane) and bright >= plane.white - near(plane) > 0
    names = plane.names(dark), plane.names(bright)
    remark = "has the values {0} and {1}: {1}, the brighter one, is the object".format(*names)
    mask = plane.mapped(lambda v: (v - dark) / (bright - dark))
    return Reading(mask, remark="" if standard else remark)


def _labels(plane: Plane, regions: Iterable[int], source: str) -> AtelierError:
    """The refusal of a mask with several values."""
    return AtelierError(
        f"The mask {source} has several values: {_shares(plane, regions)}; choose the object's "
        f"with --mask-value, such as --mask-value {plane.names([*regions][-1])}"
    )


def _shares(plane: Plane, levels: Iterable[int]) -> str:
    """Values in words, with the shares of the picture that they cover."""
    levels, size = [*levels], plane.values.size
    words = [f"{plane.names(v)} ({plane.counts[v] / size:.1%})" for v in levels[:LISTED]]
    return ", ".join(words + (["..."] if len(levels) > LISTED else []))


def _of_value(picture: Image.Image, source: str, value: str) -> Reading:
    """The mask where a file has some values."""
    plane, alpha = read_plane(picture), transparency(picture)
    if value.strip().lower() == STRENGTH:
        plane = plane if plane.white else read_plane(picture.convert("L"))
        return Reading(plane.mapped(lambda v: v / plane.white), soft=True)
    levels = {plane.names(level): level for level in plane.counts}
    names = [name.strip().lower() for name in value.split(",")]
    if missing := [name for name in names if name not in levels]:
        raise AtelierError(
            f"The mask {source} has no value {missing[0]}; it has {_shares(plane, levels.values())}"
        )
    mask = plane.mapped(lambda v: np.isin(v, [levels[name] for name in names]))
    if alpha:
        mask = ImageChops.darker(mask, alpha.point(lambda opacity: 255 * (opacity > 0)))
    return Reading(mask)
