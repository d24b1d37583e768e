"""Masks of the areas that an instruction names, each in a file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from experiments.studio.pieces import Piece, pieces_of

if TYPE_CHECKING:
    from torch import Tensor

    from datamodules.segmentation.base import Segmenter
    from datamodules.task import Area, StyleTarget


@dataclass(frozen=True)
class AreaMask:
    """Mask of an area.

    file: PNG, mode L, of the photo's size, 255 = the area without its exceptions.
    coverage: share of the photo that is more the area than not, in [0, 1].
    confidence: the least of those of its object and exceptions, in [0, 1]; None without any.
    pieces: connected ones, the largest first.
    """

    area: Area
    file: Path
    coverage: float
    confidence: float | None
    pieces: tuple[Piece, ...]

    @property
    def label(self) -> str:
        """The area as people say it: "everything except the cat"."""
        return self.area.label


def find_masks(
    photo: Path,
    targets: Sequence[StyleTarget],
    segmenter: Segmenter,
    folder: Path,
    threshold: float = 0.5,
) -> tuple[AreaMask, ...]:
    """Write the masks of all areas that need one; () where that is the whole picture alone.

    Their files are those that a run takes instead of its segmenter, in this order. threshold: in
    (0, 1), from which a value of a mask is more the area than not.

    Raises AtelierError if an object is missing in the photo, or an exception is not surely there.
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
    picture = to_tensor(on_white(load_photo(str(photo))))
    finder = MaskFinder(picture, RememberingSegmenter(segmenter))
    objects = bent(finder.find(styles).objects, threshold)
    size = size_of(str(photo))
    masks = []
    for number, (area, mask) in enumerate(zip(areas, objects, strict=True), 1):
        file, grey = folder / f"mask-{number}.png", to_picture(mask)
        grey = grey.resize(size, Image.Resampling.BILINEAR)
        save_png(grey, file)
        covered = float((mask > 0.5).float().mean())
        sure = _least(area, finder.confidence)
        masks.append(AreaMask(area, file, covered, sure, pieces_of(grey)))
    return tuple(masks)


def bent(masks: Tensor, threshold: float) -> Tensor:
    """Masks in [0, 1] whose values at a threshold in (0, 1) become one half; 0 and 1 stay."""
    below = 0.5 * masks / threshold
    return below.where(masks < threshold, 0.5 + 0.5 * (masks - threshold) / (1 - threshold))


def _least(area: Area, confidence: Mapping[str, float | None]) -> float | None:
    """The least confidence in an area's phrases; None without any."""
    values = [confidence.get(phrase) for phrase in (area.object, *area.exceptions)]
    return min((value for value in values if value is not None), default=None)
