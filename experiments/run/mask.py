"""Masks of objects in pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from PIL import Image

    from datamodules.segmentation.base import Segmenter
    from datamodules.task import StyleTarget


@dataclass(frozen=True)
class ObjectMask:
    """Mask of an object, and what its segmenter thinks of it.

    Attributes:
        picture: mode L, of the size of the photo, 255 = the object.
        coverage: share of the photo that is more object than not, in [0, 1].
        confidences: expected overlap (IoU) with each object and each exception by its phrase, in
            [0, 1]; None where the segmenter cannot tell.
        segmenter: its class.
        warnings: sentences about what may be wrong.
    """

    picture: Image.Image
    coverage: float
    confidences: Mapping[str, float | None]
    segmenter: str
    warnings: tuple[str, ...] = ()

    @property
    def confidence(self) -> float | None:
        """The least of the confidences; None without any."""
        return min((sure for sure in self.confidences.values() if sure is not None), default=None)

    @property
    def array(self) -> np.ndarray:
        """The mask as float32 (H, W) in [0, 1], 1 = the object."""
        import numpy as np

        return np.asarray(self.picture, dtype=np.float32) / 255

    def save(self, file: str | Path) -> None:
        """Write a PNG, whole or not at all; AtelierError where that is not possible."""
        from datamodules.images import save_png

        save_png(self.picture, Path(file))

    def line(self) -> str:
        """Sentence about the mask, for people."""
        from datamodules.segmentation.base import about_mask

        return about_mask(self.coverage, self.confidences.values(), self.segmenter)

    def _repr_png_(self) -> bytes:
        """The picture for notebooks."""
        return self.picture._repr_png_()


def object_targets(
    phrase: str, exceptions: str | Sequence[str], segmenter: Segmenter
) -> list[StyleTarget]:
    """Objects that a phrase names, without the exceptions in it and the further ones.

    Raises AtelierError for a phrase without words, if the segmenter needs some.
    """
    from datamodules.parsing.phrases import read_phrase
    from datamodules.request import Request

    if segmenter.needs_phrase:
        segmenter.refuse_empty(phrase)
    request = Request(exceptions=exceptions)
    return [request.with_exceptions(target) for target in read_phrase(phrase)]


def find_mask(image: str, targets: Sequence[StyleTarget], segmenter: Segmenter) -> ObjectMask:
    """Find objects in a picture: one mask of all of them.

    image: a picture file, or skimage:NAME. targets: objects with their exceptions. Raises
    AtelierError if one of them is missing in the picture.
    """
    from PIL import Image

    from datamodules.images import load_photo, on_white, to_picture, to_tensor
    from datamodules.masking import MaskFinder
    from datamodules.reading.opening import size_of
    from datamodules.segmentation.remembering import RememberingSegmenter
    from datamodules.task import styles_by_area

    photo = to_tensor(on_white(load_photo(image)))
    finder = MaskFinder(photo, RememberingSegmenter(segmenter))
    mask = finder.find(styles_by_area(targets)).union
    picture = to_picture(mask).resize(size_of(image), Image.Resampling.BILINEAR)
    coverage = float((mask > 0.5).float().mean())
    return ObjectMask(picture, coverage, finder.confidence, segmenter.name)
