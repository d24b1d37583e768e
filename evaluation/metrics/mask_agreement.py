"""Object fidelity: overlap of the object's masks in the output and in the content image."""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor

from datamodules.segmentation.base import ObjectNotFoundError, Segmenter
from datamodules.segmentation.remembering import RememberingSegmenter
from datamodules.task import BACKGROUND
from evaluation.metrics import scores as declared
from evaluation.metrics.base import UNDEFINED, PictureMetric, Pictures
from evaluation.metrics.mask_iou import mask_iou


def mask_agreement(output: Tensor | None, content: Tensor | None) -> float:
    """IoU in [0, 1] of an object's masks (H, W) in two pictures; None = the object was not found.

    0, the worst score, if it was found in the content image only; UNDEFINED if not even there.
    """
    if content is None:
        return UNDEFINED
    return 0.0 if output is None else mask_iou(output, content)


class MaskAgreement(PictureMetric):
    """IoU of the segmenter's masks of the output and of the content image.

    Mean over the named objects; UNDEFINED without one. Slow: the segmenter runs per object on each
    output, and once on the content image that many runs share.

    Args:
        segmenter: finds an object by its phrase.
    """

    scores: ClassVar = declared.MASK_AGREEMENT

    def __init__(self, segmenter: Segmenter) -> None:
        super().__init__(network=type(segmenter).__name__)
        self.segmenter = segmenter
        self.remembering = RememberingSegmenter(segmenter)

    def score(self, pictures: Pictures) -> dict[str, Tensor]:
        values = [
            self._mean(output, content, [region.area.object for region in regions])
            for output, content, regions in zip(
                pictures.output.cpu(), pictures.content.cpu(), pictures.regions, strict=True
            )
        ]
        return {"mask_agreement": pictures.mask.new_tensor(values)}

    def _mean(self, output: Tensor, content: Tensor, names: list[str]) -> float:
        values = [
            mask_agreement(_mask(self.segmenter, output, n), _mask(self.remembering, content, n))
            for n in names
            if n not in ("", BACKGROUND)
        ]
        return sum(values) / len(values) if values else UNDEFINED


def _mask(segmenter: Segmenter, image: Tensor, name: str) -> Tensor | None:
    try:
        return segmenter.segment(image, name)
    except ObjectNotFoundError:
        return None
