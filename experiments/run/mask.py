"""Masks of objects as picture files."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datamodules.segmentation.base import Segmenter
    from datamodules.task import StyleTarget


def write_mask(
    image: str, targets: Sequence[StyleTarget], segmenter: Segmenter, file: Path
) -> None:
    """Find objects in a picture and write one mask: an 8-bit PNG of its size, white = object.

    A line on stderr tells how much the mask covers and how sure the segmenter is of each object.
    image: a picture file, or skimage:NAME. targets: objects with their exceptions. Raises
    AtelierError if one of them is missing in the picture.
    """
    from PIL import Image

    from datamodules.images import load_photo, on_white, save_png, to_picture, to_tensor
    from datamodules.masking import MaskFinder
    from datamodules.reading.opening import size_of
    from datamodules.segmentation.base import mask_line
    from datamodules.segmentation.remembering import RememberingSegmenter
    from datamodules.task import styles_by_area

    photo = to_tensor(on_white(load_photo(image)))
    finder = MaskFinder(photo, RememberingSegmenter(segmenter))
    mask = finder.find(styles_by_area(targets)).union
    print(mask_line(mask, finder.confidence.values(), segmenter.name), file=sys.stderr)
    save_png(to_picture(mask).resize(size_of(image), Image.Resampling.BILINEAR), file)
