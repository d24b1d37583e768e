"""From a picture and an instruction to the batch that a method optimises: parse, mask, batch."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from functools import cached_property
from itertools import repeat

import torch
from lightning import LightningDataModule
from torch import Tensor

from datamodules.images import feather, fit_within, load_mask, load_picture, resize, to_tensor
from datamodules.parsing.base import Parser
from datamodules.parsing.blend import targets_of
from datamodules.segmentation.base import Segmenter
from datamodules.segmentation.operations.regions import rest, separate
from datamodules.segmentation.remembering import segmented
from datamodules.support.errors import AtelierError
from datamodules.task import (
    BACKGROUND,
    MOST_STYLES,
    StyleBatch,
    StyleTarget,
    StyleTask,
    objects,
    regions,
)

log = logging.getLogger(__name__)


class StylizationDataModule(LightningDataModule):
    """One picture and what to do with it.

    Args:
        image: path of the picture, or "skimage:NAME" for one that scikit-image ships.
        instruction: a sentence naming object and style, e.g. "Turn the white sailboat to the art
            on fire". What the other settings say goes before it.
        parser: splits the instruction.
        segmenter: finds the object.
        object: the object, instead of asking the parser.
        style: the style, instead of asking the parser; a blend is written
            "0.7*Van Gogh + 0.3*Hokusai".
        background_style: a style for all that is not the object.
        targets: several objects, each with its style, instead of object and style; the object
            "background" is all that no other names.
        style_image: path of a picture that shows the style of the (first) object, beside or
            instead of `style`.
        mask: path of a mask picture (white = object), instead of asking the segmenter; for several
            objects one path each, in their order.
        protect_object: the object is what is spared: the mask is 1 on all the rest.
        size: longer side of the working picture in pixels; a smaller picture stays as it is.
        full_size: longer side, in pixels, at which the finished picture is painted once more, from
            the photo itself and no larger than it; 0 = not.
        feather: width of the mask's soft edge in pixels of the working picture.
        source_text: what the content is called where texts are compared (CLIPstyler: "a Photo").
    """

    def __init__(
        self,
        image: str,
        parser: Parser,
        segmenter: Segmenter,
        instruction: str = "",
        object: str = "",
        style: str = "",
        background_style: str = "",
        targets: dict[str, str] | None = None,
        style_image: str = "",
        mask: str | list[str] = "",
        protect_object: bool = False,
        size: int = 384,
        full_size: int = 0,
        feather: float = 2.0,
        source_text: str = "a Photo",
    ) -> None:
        super().__init__()
        self.image = image
        self.parser = parser
        self.segmenter = segmenter
        self.segmenter_settings = ""  # where they are known, a mask is found once a process
        self.instruction = instruction
        self.object = object
        self.style = style
        self.background_style = background_style
        self.named = targets or {}
        self.style_image = style_image
        self.masks = [mask] if isinstance(mask, str) and mask else list(mask)
        self.protect_object = protect_object
        self.size = size
        self.full_size = full_size
        self.feather = feather
        self.source_text = source_text
        self.task: StyleTask | None = None
        self.full: StyleTask | None = None  # the same at full_size, if that is more
        self.parse_note = ""
        self.confidence: dict[str, float | None] = {}  # in the mask of each object
        self.seconds: dict[str, float] = {}
        self._batch: StyleBatch | None = None

    @cached_property
    def targets(self) -> tuple[StyleTarget, ...]:
        """What is asked for: as set or, where the settings leave something open, as parsed."""
        start = time.perf_counter()
        targets = self._named() or self._given() or self._parsed()
        if self.background_style:
            targets = [*targets, *targets_of(BACKGROUND, self.background_style)]
        self.seconds["parse"] = time.perf_counter() - start
        if len(targets) > MOST_STYLES:
            raise AtelierError(
                f"{len(targets)} styles are asked for; one picture takes at most {MOST_STYLES}"
            )
        return tuple(targets)

    def _named(self) -> list[StyleTarget]:
        for name, style in self.named.items():
            if not (name.strip() and style.strip()):
                raise AtelierError(
                    f"The target {name!r} has the style {style!r}; give each object and style in "
                    'words: --target "boat=fire"'
                )
        return [target for name, style in self.named.items() for target in targets_of(name, style)]

    def _given(self) -> list[StyleTarget]:
        """The one object's targets, if no parser is needed for them."""
        if self._needs_object or not (self.style or self.style_image):
            return []
        # With a style picture alone there is no text; an instruction may still give one.
        if not self.style and self.instruction.strip():
            return []
        return targets_of(self.object, self.style)

    @property
    def _needs_object(self) -> bool:
        return not (self.object or self.masks) and self.segmenter.needs_phrase

    def _parsed(self) -> list[StyleTarget]:
        if not self.instruction.strip():
            raise AtelierError(
                'There is no instruction; say what to do, e.g. "Turn the boat to the art on fire", '
                "or give --style or --style-image, with --object or --mask"
            )
        parsed = self.parser.parse(self.instruction)
        self.parse_note = self.parser.note
        said = _quoted(self.instruction)
        if (self.object or self.style) and len({target.object for target in parsed}) > 1:
            raise AtelierError(
                f"Several objects are named in {said}; name one there, or give each its style with "
                '--target "boat=fire"'
            )
        if self.object or self.style:
            found = targets_of(self.object or parsed[0].object, self.style)
            parsed = (
                found
                if self.style
                else [StyleTarget(self.object, target.style, target.weight) for target in parsed]
            )
        if not all(target.style for target in parsed) and not self.style_image:
            raise AtelierError(f"No style was found in {said}; name one in it or with --style")
        if self._needs_object and not all(target.object for target in parsed):
            raise AtelierError(
                f"No object was found in {said}; name one in it or with --object, or give its mask "
                "with --mask"
            )
        return parsed

    def setup(self, stage: str | None = None) -> None:
        """Load, parse and mask, once."""
        if self.task is not None:
            return
        picture = load_picture(self.image)
        style_image = self._load_style_image()
        names = [name for name, _ in regions(self.targets)]
        self._check_masks(names)
        start = time.perf_counter()
        # The whole picture, not the smaller working one: the object is found the better, and
        # the mask is the one that `atelier mask` writes.
        whole = to_tensor(picture)
        found = [self._mask(k, name, whole) for k, name in enumerate(objects(names))]
        self.seconds["mask"] = time.perf_counter() - start
        masks = separate(torch.stack(found), names)

        def task(size: int, softness: float) -> StyleTask:
            content = to_tensor(fit_within(picture, size))
            fitted = torch.stack([resize(mask, content.shape[1:]) for mask in masks])
            return StyleTask(
                content,
                self.targets,
                self._regions(fitted, names, softness),
                self.source_text,
                style_image,
                self.parse_note,
            )

        self.task = task(self.size, self.feather)
        full = min(self.full_size, max(picture.size))
        if full > self.size:
            self.full = task(full, self.feather * full / self.size)

    def _check_masks(self, names: list[str]) -> None:
        """Refuse what masks and names cannot give, before the segmenter is asked."""
        found = objects(names)
        if self.masks and len(self.masks) != len(found):
            raise AtelierError(
                f"{len(self.masks)} masks are given for {len(found)} objects; give one each, in "
                f"their order: {', '.join(found)}"
            )
        if self.protect_object and len(names) > 1:
            raise AtelierError(
                "This method spares one object and styles the rest, but several regions are named "
                f"({', '.join(names)}); name one"
            )

    def _mask(self, index: int, name: str, picture: Tensor) -> Tensor:
        if self.masks:
            return load_mask(self.masks[index], picture.shape[:0:-1])
        settings = self.segmenter_settings
        mask, self.confidence[name] = segmented(self.segmenter, settings, picture, name)
        return mask

    def _regions(self, masks: Tensor, names: list[str], softness: float) -> Tensor:
        """Masks (K, H, W) with edges `softness` px wide; 1 = to be stylized."""
        masks = torch.stack([feather(mask, softness) for mask in masks])
        masks = masks / masks.sum(0).clamp(min=1)  # soft edges that meet
        if self.protect_object and names != [BACKGROUND]:
            return rest(masks)[None]
        if len(masks) < len(names):  # the background is what they leave
            masks = torch.cat([masks, rest(masks)[None]])
        for mask, name in zip(masks, names, strict=True):
            if float(mask.max()) < 0.5:
                raise AtelierError(
                    f"Nothing is left of the region {name!r} once the others have theirs; name "
                    "another object or give its mask with --mask"
                )
        return masks

    def _load_style_image(self) -> Tensor | None:
        if not self.style_image:
            return None
        return to_tensor(fit_within(load_picture(self.style_image), self.size))

    def train_dataloader(self):
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
    """The data of several runs that are optimised together: a list of their batches."""

    def __init__(self, each: Sequence[StylizationDataModule]) -> None:
        super().__init__()
        self.each = each

    def train_dataloader(self):
        return repeat([data.task.batch() for data in self.each])

    def transfer_batch_to_device(
        self, batch: list[StyleBatch], device: torch.device, dataloader_idx: int
    ) -> list[StyleBatch]:
        return [
            data.transfer_batch_to_device(own, device, dataloader_idx)
            for data, own in zip(self.each, batch, strict=True)
        ]


def _quoted(text: str, length: int = 80) -> str:
    return repr(text if len(text) <= length else text[: length - 3] + "...")
