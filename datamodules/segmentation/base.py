"""Interface of segmenters: a picture and a phrase in, a soft mask out."""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Iterable, Sequence
from inspect import signature
from typing import Any, ClassVar

from torch import Tensor

from datamodules.segmentation.features.base import DenseFeatures
from datamodules.support.errors import AtelierError

log = logging.getLogger(__name__)

UNSURE = 0.7  # confidence below which a warning is logged, unless a segmenter has another line


class ObjectNotFoundError(AtelierError):
    """A phrase names nothing that the segmenter finds in the picture."""


class Segmenter(ABC):
    """Finder of the object that a phrase names.

    Attributes:
        needs_phrase: whether `segment` depends on a phrase.
        line: confidence below which a warning is logged.
        confidence: expected overlap (IoU) of the last mask with the object, in [0, 1]; None if the
            segmenter cannot tell.
    """

    needs_phrase: ClassVar[bool] = True
    line: ClassVar[float] = UNSURE
    confidence: float | None = None

    @abstractmethod
    def segment(self, content: Tensor, phrase: str) -> Tensor:
        """Segment the object that a phrase names.

        Args:
            content: picture, float32 (3, H, W) in [0, 1].
            phrase: for example "white sailboat".

        Returns float32 (H, W) in [0, 1], 1 = the object.

        Raises:
            ObjectNotFoundError: the phrase names nothing in the picture.
            AtelierError: the phrase is empty, or weights are missing or damaged.
        """

    @property
    def name(self) -> str:
        """Name in the record of a run."""
        return type(self).__name__

    @property
    def identity(self) -> Hashable:
        """Class and settings, weights among them; segmenters of equal identity give equal masks.

        Settings are the constructor's parameters, each stored under its own name. A segmenter that
        stores them otherwise differs from all others, unless it overrides this property.
        """
        return _settings(self)

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

    def warn(self, phrase: str, things: Callable[[], Sequence[str]] = tuple) -> None:
        """Log a warning if the confidence in the last mask is low.

        things: names what is in the picture for sure, if that can be said.
        """
        if self.confidence is not None and self.confidence < self.line:
            log.warning(
                "The mask may not show %r (confidence %.2f)%s; look at it and, if it is wrong, try "
                "another phrase or give --mask FILE",
                *(phrase, self.confidence, instead(things())),
            )


def check_mask(mask: Any, segmenter: Segmenter, content: Tensor) -> None:
    """AtelierError for a mask that is not what `segment` is to return for a content (3, H, W)."""
    shape = tuple(content.shape[1:])
    if not isinstance(mask, Tensor) or tuple(mask.shape) != shape:
        what = f"a tensor {tuple(mask.shape)}" if isinstance(mask, Tensor) else type(mask).__name__
        raise AtelierError(
            f"segment of {segmenter.name} returns {what}; return a mask {shape}, 1 = the object"
        )
    if not mask.is_floating_point() or not (mask.min() >= 0 and mask.max() <= 1):
        raise AtelierError(
            f"segment of {segmenter.name} returns {mask.dtype} from {mask.min()} to {mask.max()}; "
            "return float32 in [0, 1]"
        )


def instead(things: Sequence[str]) -> str:
    """Part of a sentence that names what is found in a picture, "" for nothing."""
    return f"; found here: {', '.join(things)}" if things else ""


def mask_line(mask: Tensor, confidence: Iterable[float | None], finder: str = "") -> str:
    """Sentence about a mask (H, W) in [0, 1]; the rest as in `about_mask`."""
    return about_mask(float((mask > 0.5).float().mean()), confidence, finder)


def about_mask(coverage: float, confidence: Iterable[float | None], finder: str = "") -> str:
    """Sentence about a mask: its finder, how much it covers, how sure it is.

    coverage: share of the picture. confidence: in the mask of each phrase; the least one counts.
    """
    by = f"by {finder}, " if finder else ""
    numbers = [value for value in confidence if value is not None]
    sure = f", confidence {min(numbers):.2f}" if numbers else ""
    return f"mask     {by}covers {coverage:.1%} of the picture{sure}"


def _settings(part: Any) -> Hashable:
    """Class and settings of a segmenter and its features; other values as they are."""
    if isinstance(part, list | tuple):
        return tuple(_settings(item) for item in part)
    if not isinstance(part, Segmenter | DenseFeatures):
        return part
    names = signature(type(part)).parameters
    return type(part), *(_settings(vars(part)[n]) if n in vars(part) else part for n in names)
