"""From a picture and an instruction to the batch that a method optimises: parse, mask, batch."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import repeat

import torch
from lightning import LightningDataModule
from PIL import Image
from torch import Tensor

from datamodules.images import (
    feather,
    fit_within,
    load_photo,
    on_white,
    split_alpha,
    squash,
    to_tensor,
)
from datamodules.masking import AreaMasks, MaskFinder, check_files, room
from datamodules.parsing.base import Parser
from datamodules.reading.masks import mask_files
from datamodules.request import Request, Wish
from datamodules.segmentation.base import Segmenter
from datamodules.segmentation.operations.regions import rest
from datamodules.segmentation.remembering import RememberingSegmenter
from datamodules.support.errors import AtelierError
from datamodules.task import (
    BACKGROUND,
    Area,
    StyleBatch,
    StyleTarget,
    StyleTask,
    alike,
    styles_by_area,
    to_find,
)


class StylizationDataModule(LightningDataModule):
    """One picture and its stylization as settings; `setup` makes the task.

    Args:
        image: path of the picture, or "skimage:NAME" for one that scikit-image ships.
        instruction: a sentence with object and style, e.g. "Turn the white sailboat to the art
            on fire". The other settings take precedence over it.
        parser: splits the instruction.
        segmenter: finds the object.
        object: the object, instead of parsing it; "" is the one in the instruction or, without
            one, the whole picture.
        style: the style, instead of parsing it; a blend is written
            "0.7*Van Gogh + 0.3*Hokusai".
        background_style: a style for everything but the object.
        targets: several objects, each with its style, instead of object and style, or a list of
            targets as `atelier parse` prints it; the object "background" is everything that no
            other names.
        exceptions: a phrase, or several, for what stays as it is, beside those in the instruction.
        style_image: path of a picture that shows the style of the (first) object, beside or
            instead of `style`.
        mask: path of a mask picture (white = object), instead of segmenting; for several objects
            one path each, in their order.
        mask_value: values of the object in a mask with labels, with commas ("2,3"); for several
            masks one for all or one each.
        protect_object: spare the object: the mask is 1 on everything else.
        size: longer side of the working picture in pixels; a smaller picture keeps its size.
        full_size: longer side, in pixels, at which the finished picture is painted once more, from
            the photo itself and no larger than it; 0 = not.
        square: squash the working picture to a square of `size` px, as the published codes do,
            instead of preserving the aspect ratio.
        feather: width of the mask's soft edge in pixels of the working picture.
        binary_masks: cut the masks at one half instead of feathering them, as in the published
            codes.
        source_text: describes the content where texts are compared (CLIPstyler: "a Photo").

    Attributes:
        task: the task at `size`. full: the same at `full_size`, None where that is not larger.
        confidence: of the segmenter in the mask of each phrase, None where it gives none.
        seconds: of parsing and of masking.
    """

    def __init__(
        self,
        image: str,
        *,
        parser: Parser,
        segmenter: Segmenter,
        instruction: str = "",
        object: str = "",
        style: str = "",
        background_style: str = "",
        targets: dict[str, str] | list[dict[str, str | float | list[str] | None]] | None = None,
        exceptions: str | list[str] = "",
        style_image: str = "",
        mask: str | list[str] = "",
        mask_value: str | list[str] = "",
        protect_object: bool = False,
        size: int = 384,
        full_size: int = 0,
        square: bool = False,
        feather: float = 2.0,
        binary_masks: bool = False,
        source_text: str = "a Photo",
    ) -> None:
        super().__init__()
        self.image = image
        self.parser = parser
        self.segmenter = RememberingSegmenter(segmenter)
        self.style_image = style_image
        self.mask_files = mask_files(mask, mask_value)
        self.request = Request(
            instruction,
            object,
            style,
            background_style,
            targets or {},
            exceptions or (),
            has_style_image=bool(style_image),
        )
        self.protect_object = protect_object
        self.size = size
        self.full_size = full_size
        self.square = square
        self.feather = feather
        self.binary_masks = binary_masks
        self.source_text = source_text
        self.task: StyleTask | None = None
        self.full: StyleTask | None = None
        self.confidence: dict[str, float | None] = {}
        self.seconds: dict[str, float] = {}
        self._batch: StyleBatch | None = None

    @cached_property
    def wish(self) -> Wish:
        """The request, resolved once."""
        return self.request.resolve(self.parser)

    @property
    def targets(self) -> tuple[StyleTarget, ...]:
        """Objects and styles."""
        return self.wish.targets

    def setup(self, stage: str | None = None) -> None:
        """Load, parse and mask, once."""
        if self.task is not None:
            return
        picture = load_photo(self.image, at_least=max(self.size, self.full_size))
        if self.style_image:
            load_photo(self.style_image)  # refused before the time of masking is spent
        masks = self._masks(on_white(picture))
        shrink = squash if self.square else fit_within
        self.task = self._task(shrink(picture, self.size), masks, self.feather)
        full = min(self.full_size, max(picture.size))
        if full > self.size:
            softness = self.feather * full / self.size
            self.full = self._task(fit_within(picture, full), masks, softness)

    def _masks(self, picture: Image.Image) -> AreaMasks:
        """Masks at the size of the photo.

        On the photo, not the smaller working picture: segmentation is better there, and the mask
        is the same as that of `atelier mask`.
        """
        styles = styles_by_area(self.targets)
        self._check_masks(list(styles))
        self.seconds["parse"] = self.wish.seconds
        start = time.perf_counter()
        finder = MaskFinder(to_tensor(picture), self.segmenter, self.mask_files)
        masks = finder.find(styles)
        self.confidence = finder.confidence
        self.seconds["mask"] = time.perf_counter() - start
        return masks

    def _check_masks(self, areas: list[Area]) -> None:
        """Refuse masks and areas that do not go together, before the segmenter runs."""
        check_files(self.mask_files, to_find(areas))
        if self.protect_object and len(areas) > 1:
            labels = ", ".join(area.label for area in areas)
            raise AtelierError(
                "This method spares one object and styles the rest, but several regions are named "
                f"({labels}); name one"
            )

    def _task(self, picture: Image.Image, masks: AreaMasks, softness: float) -> StyleTask:
        """The task at a picture's size, with masks whose edges are `softness` px wide."""
        content, alpha = split_alpha(to_tensor(picture))
        masks = masks.resized(content.shape[1:])
        soft = self._soft(masks, softness)
        strength = None if self.binary_masks else masks.strength
        if alpha is not None:
            opaque = (alpha > 0).float()
            soft, strength = soft * opaque, opaque if strength is None else strength * opaque
        task = StyleTask.of(
            content,
            self.targets,
            soft,
            source_text=self.source_text,
            style_image=self._style_picture(),
            parse_note=self.wish.note,
            segmenter="" if self.mask_files else self.segmenter.name,
            confidence=dict(self.confidence),
            strength=strength,
            alpha=alpha,
        )
        refuse_empty(task)
        return task

    def _soft(self, masks: AreaMasks, softness: float) -> Tensor:
        """Masks of all areas (K, H, W) with soft edges that leave the exceptions alone."""
        binary = self.binary_masks
        if binary:  # a mask file's values, too, are cut at one half
            values = 1.0 if masks.strength is None else masks.strength
            soft = (masks.objects * values > 0.5).float()
        else:
            soft = soften(masks.objects, softness)
        is_object = self.targets[0].object not in ("", BACKGROUND)
        if self.protect_object and is_object:
            soft = rest(soft)[None]
        elif len(soft) < len(masks.exceptions):  # the background has no mask of its own
            soft = torch.cat([soft, rest(soft)[None]])
        for mask, exceptions in zip(soft, masks.exceptions, strict=True):
            if exceptions is not None:
                space = room(exceptions, 0 if binary else softness)
                mask *= (space > 0.5).float() if binary else space
        return soft

    def _style_picture(self) -> Tensor | None:
        """The style picture at the working size, (3, h, w) in [0, 1]."""
        if not self.style_image:
            return None
        picture = load_photo(self.style_image, at_least=self.size)
        return to_tensor(on_white(fit_within(picture, self.size)))

    def train_dataloader(self) -> Iterator[StyleBatch]:
        """The same batch at every step: a run is one picture, and trainer.max_steps ends it."""
        return repeat(self.task.batch())

    def transfer_batch_to_device(
        self, batch: StyleBatch, device: torch.device, dataloader_idx: int
    ) -> StyleBatch:
        """Moved once, not at every step."""
        if self._batch is None or self._batch.content.device != device:
            self._batch = batch.to(device)
        return self._batch


class TogetherDataModule(LightningDataModule):
    """Data of several runs that are optimised jointly: a list of their batches."""

    def __init__(self, each: Sequence[StylizationDataModule]) -> None:
        super().__init__()
        self.each = each

    def train_dataloader(self) -> Iterator[list[StyleBatch]]:
        return repeat([data.task.batch() for data in self.each])

    def transfer_batch_to_device(
        self, batch: list[StyleBatch], device: torch.device, dataloader_idx: int
    ) -> list[StyleBatch]:
        return [
            data.transfer_batch_to_device(one, device, dataloader_idx)
            for data, one in zip(self.each, batch, strict=True)
        ]


def soften(masks: Sequence[Tensor], width: float) -> Tensor:
    """Masks (K, H, W) in [0, 1] with edges `width` px wide; where edges meet they sum to 1."""
    soft = torch.stack([feather(mask, width) for mask in masks])
    return soft / soft.sum(0).clamp(min=1)


def refuse_empty(task: StyleTask) -> None:
    """AtelierError for regions of one style that no pixel belongs to at least by half."""
    for group in alike({region.area: region.styles for region in task.regions}):
        regions = [task.regions[k] for k in group]
        if max(float(region.mask.max()) for region in regions) < 0.5:
            raise AtelierError(
                f"Nothing is left of the region {regions[0].area.label!r} once the others and the "
                "exceptions are taken out; name another object or give its mask with --mask"
            )
