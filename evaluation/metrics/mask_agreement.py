"""Object fidelity: does a segmenter still find the object, and in the same place?"""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor

from datamodules.errors import AtelierError
from datamodules.segmentation.base import Segmenter
from datamodules.task import BACKGROUND
from evaluation.metrics.base import UNDEFINED, PictureMetric, Pictures, Score
from evaluation.metrics.mask_iou import mask_iou


def mask_agreement(output: Tensor, content: Tensor, phrase: str, segmenter: Segmenter) -> float:
    """IoU in [0, 1] of the object's masks in two pictures (3, H, W) in [0, 1].

    0 where it is found in the content alone; UNDEFINED where it is not even found there.
    """
    try:
        before = segmenter.segment(content, phrase)
    except AtelierError:
        return UNDEFINED
    try:
        after = segmenter.segment(output, phrase)
    except AtelierError:  # "a boat is nowhere in the picture": the worst that can be said
        return 0.0
    return mask_iou(after, before)


class MaskAgreement(PictureMetric):
    """IoU of the segmenter's mask on the output against its mask on the content.

    Mean over the objects that are named; UNDEFINED where none is. Slow: the segmenter looks at
    both pictures once an object.

    Args:
        segmenter: finds an object by its phrase.
    """

    scores: ClassVar = {
        "mask_agreement": Score(True, 0, 1, "Jaccard index of the segmenter's two masks")
    }

    def __init__(self, segmenter: Segmenter) -> None:
        super().__init__(network=type(segmenter).__name__)
        self.segmenter = segmenter

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
        found = [mask_agreement(output, content, name, self.segmenter) for name in names]
        return sum(found) / len(found) if found else UNDEFINED
