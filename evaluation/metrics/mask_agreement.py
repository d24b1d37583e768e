"""Object fidelity: does a segmenter still find the object, and in the same place?"""

from __future__ import annotations

import hashlib
from typing import ClassVar

from torch import Tensor

from datamodules.segmentation.base import Segmenter
from datamodules.support.errors import AtelierError
from datamodules.task import BACKGROUND
from evaluation.metrics.base import UNDEFINED, PictureMetric, Pictures, Score
from evaluation.metrics.mask_iou import mask_iou


def mask_agreement(output: Tensor | None, content: Tensor | None) -> float:
    """IoU in [0, 1] of the object's masks (H, W) in two pictures; None = it is not found there.

    0 where it is found in the content alone, the worst that can be said; UNDEFINED where it is not
    even found there.
    """
    if content is None:
        return UNDEFINED
    return 0.0 if output is None else mask_iou(output, content)


class MaskAgreement(PictureMetric):
    """IoU of the segmenter's mask on the output against its mask on the content.

    Mean over the objects that are named; UNDEFINED where none is. Slow: the segmenter looks at
    both pictures once an object; at a content image that many runs share, once for all of them.

    Args:
        segmenter: finds an object by its phrase.
    """

    scores: ClassVar = {
        "mask_agreement": Score(True, 0, 1, "Jaccard index of the segmenter's two masks")
    }

    def __init__(self, segmenter: Segmenter) -> None:
        super().__init__(network=type(segmenter).__name__)
        self.segmenter = segmenter
        self._known: dict[tuple[bytes, str], Tensor | None] = {}  # masks of content images

    def score(self, pictures: Pictures) -> dict[str, Tensor]:
        values = [self._mean(*pair, names) for *pair, names in self._jobs(pictures)]
        return {"mask_agreement": pictures.mask.new_tensor(values)}

    def _jobs(self, pictures: Pictures) -> list[tuple[Tensor, Tensor, list[str]]]:
        names = [
            [region.name for region in regions if region.name not in ("", BACKGROUND)]
            for regions in pictures.regions
        ]
        return [*zip(pictures.output.cpu(), pictures.content.cpu(), names, strict=True)]

    def _mean(self, output: Tensor, content: Tensor, names: list[str]) -> float:
        found = [
            mask_agreement(self._mask(output, name), self._content_mask(content, name))
            for name in names
        ]
        return sum(found) / len(found) if found else UNDEFINED

    def _content_mask(self, content: Tensor, phrase: str) -> Tensor | None:
        key = (hashlib.sha256(content.numpy().tobytes()).digest(), phrase)
        if key not in self._known:
            self._known[key] = self._mask(content, phrase)
        return self._known[key]

    def _mask(self, image: Tensor, phrase: str) -> Tensor | None:
        try:
            return self.segmenter.segment(image, phrase)
        except AtelierError:  # "a boat is nowhere in the picture"
            return None
