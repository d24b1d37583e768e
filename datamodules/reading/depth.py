"""Pixels of more than 8 bits, to 8 bits; and the TIFF files of numbers that Pillow cannot read."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from datamodules.support.errors import AtelierError

if TYPE_CHECKING:
    from tifffile import TiffPage

log = logging.getLogger(__name__)

BRIGHTEST = 1.05  # of floats with white at 1; filters overshoot a little
WHITES = (1, 255, 65535)  # values of floats that may stand for white
ORIENTATION, ICC_PROFILE = 274, 34675  # TIFF tags
TIFF_BEGINNINGS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")


def to_8_bits(picture: Image.Image, source: str) -> Image.Image:
    """A picture of 16-bit integers or floats as grey of 8 bits; any other as it is."""
    if picture.mode == "F":
        grey = float_to_8_bits(np.asarray(picture), source)
    elif picture.mode.startswith("I"):
        grey = scaled_16_bits()[np.asarray(picture).clip(0, 65535).astype(np.uint16)]
    else:
        return picture
    scaled = Image.fromarray(grey)
    scaled.info = {name: picture.info[name] for name in ("icc_profile",) if name in picture.info}
    return scaled


def scaled_16_bits() -> np.ndarray:
    """The 8-bit value of each 16-bit one, rounded: uint8 (65536,)."""
    return ((np.arange(65536) + 128) // 257).astype(np.uint8)


def float_to_8_bits(values: np.ndarray, source: str) -> np.ndarray:
    """Floats of any shape as uint8; white is 1, or 255 or 65535 where the values are that large.

    Raises AtelierError for values that are no numbers, or larger than 65535.
    """
    if not np.isfinite(values).all():
        raise AtelierError(f"{source} has NaN or infinite pixels; export it again")
    white, largest = white_of(values), float(values.max())
    if largest > white * BRIGHTEST and white == WHITES[-1]:
        raise AtelierError(f"{source} has pixels up to {largest:g}; export it with white at 1")
    if white != 1 or largest > BRIGHTEST:
        log.warning("%s has values up to %g: white is taken to be %d", source, largest, white)
    return (values * (255 / white)).round().clip(0, 255).astype(np.uint8)


def white_of(values: np.ndarray) -> int:
    """The value of floats that stands for white: 1, with room for highlights, 255 or 65535."""
    largest = float(values.max())
    return next((white for white in WHITES if largest <= max(2, BRIGHTEST * white)), WHITES[-1])


def is_tiff(header: bytes) -> bool:
    return header.startswith(TIFF_BEGINNINGS)


def read_numbers(path: Path, source: str) -> Image.Image:
    """The first picture of a TIFF of floats or of other numbers that Pillow does not read.

    Grey pictures keep their floats, in mode F; colours become 8 bits.
    """
    from tifffile import TiffFile

    with TiffFile(path) as file:
        page = file.pages[0]
        values, tags = _pixels(page, path), {tag.code: tag.value for tag in page.tags}
    if page.axes == "SYX":  # plane after plane
        values = np.moveaxis(values, 0, -1)
    if values.ndim == 2:
        picture = Image.fromarray(values.astype(np.float32))
    else:
        picture = Image.fromarray(_colours(values, source))
    if ICC_PROFILE in tags:
        picture.info["icc_profile"] = tags[ICC_PROFILE]
    picture.getexif()[ORIENTATION] = int(tags.get(ORIENTATION, 1))
    return picture


def _pixels(page: TiffPage, path: Path) -> np.ndarray:
    try:
        return page.asarray()
    except ValueError:  # compressed as only OpenCV reads it here, such as LZW
        import cv2

        values = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
        if values is None:
            raise
        return values if values.ndim == 2 else values[..., [2, 1, 0, 3][: values.shape[2]]]


def _colours(values: np.ndarray, source: str) -> np.ndarray:
    """Colours (H, W, 3 or 4) of numbers as uint8."""
    if values.dtype.kind == "f":
        return float_to_8_bits(values, source)
    return (values * (255 / np.iinfo(values.dtype).max)).round().clip(0, 255).astype(np.uint8)
