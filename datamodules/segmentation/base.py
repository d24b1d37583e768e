"""Interface of segmenters: a picture and a phrase in, a soft mask out."""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from typing import ClassVar

from torch import Tensor

from datamodules.support.errors import AtelierError

log = logging.getLogger(__name__)

UNSURE = 0.7  # confidence below which a warning is logged


class Segmenter(ABC):
    """Finder of the object that a phrase names.

    Attributes:
        needs_phrase: whether `segment` depends on a phrase.
        confidence: expected overlap (IoU) of the last mask with the object, in [0, 1]; None if the
            segmenter cannot tell.
    """

    needs_phrase: ClassVar[bool] = True
    confidence: float | None = None

    @abstractmethod
    def segment(self, content: Tensor, phrase: str) -> Tensor:
        """Segment the object that a phrase names.

        Args:
            content: picture, float32 (3, H, W) in [0, 1].
            phrase: for example "white sailboat".

        Returns float32 (H, W) in [0, 1], 1 = the object.

        Raises:
            AtelierError: the phrase names nothing in the picture.
        """

    def refuse_empty(self, phrase: str) -> None:
        """Raise AtelierError for a phrase without words."""
        if not phrase.strip():
            raise AtelierError(
                "No object is named, so there is nothing to find; name one or give --mask FILE"
            )

    def ignore(self, phrase: str) -> None:
        """Log a warning that a phrase has no effect."""
        if phrase:
            log.warning(
                "%s does not look for %r; to stylize only that, add "
                "--data.segmenter datamodules.segmentation.bridge.BridgeSegmenter",
                *(type(self).__name__, phrase),
            )

    def warn(self, phrase: str) -> None:
        """Log a warning if the confidence in the last mask is low."""
        if self.confidence is not None and self.confidence < UNSURE:
            log.warning(
                "The mask may not show %r (confidence %.2f); look at it and, if it is wrong, try "
                "another phrase or give --mask FILE",
                *(phrase, self.confidence),
            )
