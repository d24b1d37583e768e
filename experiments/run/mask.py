"""Masks of objects as picture files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datamodules.segmentation.base import Segmenter


def write_mask(image: str, phrase: str, segmenter: Segmenter, file: Path) -> None:
    """Find an object in a picture and write its mask: an 8-bit PNG of its size, white = object.

    image: a picture file, or skimage:NAME. Raises AtelierError if the phrase or the object is
    missing.
    """
    from datamodules.images import load_picture, save_png, to_picture, to_tensor

    mask = segmenter.segment(to_tensor(load_picture(image)), phrase)
    save_png(to_picture(mask), file)
