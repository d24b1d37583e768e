"""Masks of the areas that an instruction names, each in a file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from experiments.studio.pieces import pieces_of
from experiments.studio.tasks import AreaMask

if TYPE_CHECKING:
    from datamodules.segmentation.base import Segmenter
    from datamodules.task import Area, StyleTarget


def find_masks(
    photo: Path, targets: Sequence[StyleTarget], segmenter: Segmenter, folder: Path
) -> tuple[AreaMask, ...]:
    """Write the masks of all areas that need one; () where that is the whole picture alone.

    Their files are those that a run takes instead of its segmenter, in this order. Raises
    AtelierError if an object is missing in the photo, or an exception is not surely there.
    """
    from PIL import Image

    from datamodules.images import load_photo, on_white, save_png, to_picture, to_tensor
    from datamodules.masking import MaskFinder
    from datamodules.reading.opening import size_of
    from datamodules.segmentation.remembering import RememberingSegmenter
    from datamodules.task import styles_by_area, to_find

    styles = styles_by_area(targets)
    areas = to_find(styles)
    if not any(area.name for area in areas):
        return ()
    finder = MaskFinder(
        to_tensor(on_white(load_photo(str(photo)))), RememberingSegmenter(segmenter)
    )
    objects, size = finder.find(styles).objects, size_of(str(photo))
    masks = []
    for number, (area, mask) in enumerate(zip(areas, objects, strict=True), 1):
        picture = to_picture(mask).resize(size, Image.Resampling.BILINEAR)
        file = folder / f"mask-{number}.png"
        save_png(picture, file)
        coverage = float((mask > 0.5).float().mean())
        sure = _confidence(area, finder)
        masks.append(AreaMask(area, file, coverage, sure, pieces_of(picture)))
    return tuple(masks)


def _confidence(area: Area, finder) -> float | None:
    phrases = (area.object, *area.exceptions)
    values = [finder.confidence.get(phrase) for phrase in phrases]
    return min((value for value in values if value is not None), default=None)
