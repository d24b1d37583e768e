"""Masks of areas on a photo: what is to be painted, and what must stay as it is.

Objects come from a segmenter or from files, exceptions from the segmenter alone, which must be sure
of them: to paint what was to be exceptions is worse than not to paint at all.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from datamodules.images import feather, resize_mask
from datamodules.reading.masks import MaskFile, warn_of_coverage
from datamodules.segmentation.base import ObjectNotFoundError, Segmenter, check_mask
from datamodules.segmentation.operations.alternatives import segment_or_suggest
from datamodules.segmentation.operations.regions import rest, separate
from datamodules.support.errors import AtelierError
from datamodules.task import Area, Blend, alike, to_find

BY_HAND = (
    "name it otherwise, or give a mask of what is to be painted: --mask FILE, with --style instead "
    "of the sentence"
)


@dataclass(frozen=True)
class AreaMasks:
    """Masks in [0, 1] of K areas.

    objects: (L, H, W), one per area without the exceptions; they sum to at most 1. L = K - 1 if
             the last area is the background of others, which is all that they leave.
    exceptions: (H, W) of each area, None without any; the background has those of all.
    strength: of the change in soft mask files, (H, W) in [0, 1], and 1 elsewhere; None without any.
    """

    objects: Tensor
    exceptions: Sequence[Tensor | None]
    strength: Tensor | None = None

    @property
    def union(self) -> Tensor:
        """All that is to be painted, (H, W) in [0, 1]."""
        total = self.objects.sum(0)
        if len(self.objects) == len(self.exceptions):
            return total
        return total + without(rest(self.objects), self.exceptions[-1])

    def resized(self, size: Sequence[int]) -> AreaMasks:
        """The same at a size (height, width)."""
        return AreaMasks(
            torch.stack([resize_mask(mask, size) for mask in self.objects]),
            [None if mask is None else resize_mask(mask, size) for mask in self.exceptions],
            None if self.strength is None else resize_mask(self.strength, size),
        )


class MaskFinder:
    """Finder of areas on one photo.

    Args:
        photo: float32 (3, H, W) in [0, 1].
        segmenter: finds objects and exceptions.
        files: masks of the objects, in their order, instead of segmenting them.

    Attributes:
        confidence: of the segmenter by phrase, None where it gives none.
    """

    def __init__(self, photo: Tensor, segmenter: Segmenter, files: Sequence[MaskFile] = ()) -> None:
        self.photo = photo
        self.segmenter = segmenter
        self.files = files
        self.confidence: dict[str, float | None] = {}
        self._exceptions: dict[str, Tensor] = {}
        self._strength: Tensor | None = None

    def find(self, styles: Mapping[Area, Blend]) -> AreaMasks:
        """Masks of areas, whose styles say which of them may overlap.

        Raises AtelierError for an object that is not found, for an exception that is not surely
        found, and for a wrong number of files.
        """
        areas = to_find(styles)
        check_files(self.files, areas)
        objects = [self._object(*pair) for pair in enumerate(areas)]
        exceptions = [union(map(self._exception, area.exceptions)) for area in styles]
        if len(areas) < len(exceptions):
            exceptions[-1] = union(mask for mask in exceptions if mask is not None)
        rests = [without(*pair) for pair in zip(objects, exceptions, strict=False)]
        group_of = {k: number for number, group in enumerate(alike(styles)) for k in group}
        groups = [group_of[k] for k in range(len(areas))]
        names = [area.label for area in areas]
        return AreaMasks(separate(torch.stack(rests), names, groups), exceptions, self._strength)

    def _object(self, index: int, area: Area) -> Tensor:
        if self.files:
            return self._of_file(self.files[index])
        if not area.object and self.segmenter.needs_phrase:
            return torch.ones_like(self.photo[0])
        return self._segment(area.object)

    def _of_file(self, file: MaskFile) -> Tensor:
        mask = file.load(self.photo.shape[:0:-1])
        warn_of_coverage(mask, file.source)
        if mask.soft:
            before = torch.ones_like(mask.values) if self._strength is None else self._strength
            self._strength = torch.where(mask.values > 0, mask.values.minimum(before), before)
        return mask.where

    def _segment(self, phrase: str) -> Tensor:
        mask = segment_or_suggest(self.segmenter, self.photo, phrase)
        check_mask(mask, self.segmenter, self.photo)
        self.confidence[phrase] = self.segmenter.confidence
        return mask

    def _exception(self, phrase: str) -> Tensor:
        if phrase not in self._exceptions:
            self._exceptions[phrase] = self._surely(phrase)
        return self._exceptions[phrase]

    def _surely(self, phrase: str) -> Tensor:
        """Mask of an exception; AtelierError unless the segmenter is sure of it."""
        if not self.segmenter.needs_phrase:
            raise AtelierError(
                f"{phrase!r} is to stay as it is, but {self.segmenter.name} looks for no phrase; "
                "add --segmenter bridge"
            )
        try:
            mask = self._segment(phrase)
        except ObjectNotFoundError as error:
            raise AtelierError(f"{phrase!r} is to stay as it is, but: {error}") from error
        sure = self.confidence[phrase]
        if sure is not None and sure < self.segmenter.line:
            raise AtelierError(
                f"{phrase!r} is to stay as it is, but is not surely found (confidence "
                f"{sure:.2f}); {BY_HAND}"
            )
        return mask


def check_files(files: Sequence[MaskFile], areas: Sequence[Area]) -> None:
    """AtelierError unless there are no mask files or one per area."""
    if files and len(files) != len(areas):
        raise AtelierError(
            f"{len(files)} masks are given for {len(areas)} objects; give one each, in their "
            f"order: {', '.join(area.label for area in areas)}"
        )


def union(masks: Iterable[Tensor]) -> Tensor | None:
    """Maximum (H, W) of masks (H, W), None without any."""
    each = list(masks)
    return torch.stack(each).amax(0) if each else None


def without(mask: Tensor, exceptions: Tensor | None) -> Tensor:
    """Mask (H, W) in [0, 1] less exceptions (H, W) in [0, 1]; 0 where these reach one half."""
    if exceptions is None:
        return mask
    return torch.minimum(mask, 1 - exceptions) * (exceptions < 0.5)


def room(exceptions: Tensor, width: float) -> Tensor:
    """Share of a mask that exceptions (H, W) in [0, 1] leave to it, (H, W) in [0, 1].

    The share is 0 where these reach one half, and rises to 1 over an edge of about `width` px
    outside of it, so that no pixel of an exception is painted.
    """
    inside = exceptions >= 0.5
    if not inside.any():
        return 1 - exceptions
    wide = grow(inside.float(), 2 * width)
    return torch.minimum(1 - feather(wide, width), 1 - exceptions) * ~inside


def grow(mask: Tensor, radius: float) -> Tensor:
    """Maximum of a mask (H, W) within squares that reach `radius` px to each side."""
    reach = math.ceil(radius)
    wide = mask[None]
    for across, down in ((reach, 0), (0, reach)):
        kernel = (2 * down + 1, 2 * across + 1)
        wide = F.max_pool2d(wide, kernel, stride=1, padding=(down, across))
    return wide[0]
