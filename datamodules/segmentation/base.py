"""What every segmenter does: a picture and a phrase in, a soft mask out."""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from typing import ClassVar

from torch import Tensor

log = logging.getLogger(__name__)

UNSURE = 0.7  # confidence below which a mask is warned of


class Segmenter(ABC):
    """Finds the object that a phrase names.

    Attributes:
        needs_phrase: whether `segment` can do nothing without a phrase.
        confidence: in the last mask, in [0, 1], about the overlap (IoU) with the object that it
            can be expected to have; None where the segmenter cannot tell.
    """

    needs_phrase: ClassVar[bool] = True
    confidence: float | None = None

    def ignore(self, phrase: str) -> None:
        """Say that a phrase is not looked for; for segmenters that need none."""
        if phrase:
            log.warning(
                "%s does not look for %r; where only that is meant, add "
                "--data.segmenter datamodules.segmentation.bridge.BridgeSegmenter",
                *(type(self).__name__, phrase),
            )

    def warn(self, phrase: str) -> None:
        """Say that the last mask may be wrong, where the confidence in it is low."""
        if self.confidence is not None and self.confidence < UNSURE:
            log.warning(
                "%r may not be what the mask shows (confidence %.2f); look at it and, if it is "
                "wrong, try another phrase or give --mask FILE",
                *(phrase, self.confidence),
            )

    @abstractmethod
    def segment(self, content: Tensor, phrase: str) -> Tensor:
        """Soft mask of the object.

        content: float32 (3, H, W) in [0, 1]; phrase: "white sailboat".
        Returns float32 (H, W) in [0, 1], 1 = the object.
        Raises AtelierError where the phrase is nowhere in the picture.
        """
