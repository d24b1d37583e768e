"""From a picture and an instruction to the batch that a method optimises: parse, mask, batch."""

from __future__ import annotations

import logging
import time
from itertools import repeat

import torch
from lightning import LightningDataModule

from datamodules.errors import AtelierError
from datamodules.images import feather, fit_within, load_mask, load_picture, resize, to_tensor
from datamodules.parsing.base import Parser
from datamodules.segmentation.base import Segmenter
from datamodules.task import StyleBatch, StyleTarget, StyleTask

log = logging.getLogger(__name__)


class StylizationDataModule(LightningDataModule):
    """One picture and what to do with it.

    Args:
        image: path of the picture, or "skimage:NAME" for one that scikit-image ships.
        instruction: a sentence naming object and style, e.g. "Turn the white sailboat to the art
            on fire". What `object` and `style` say goes before it.
        parser: splits the instruction.
        segmenter: finds the object.
        object: the object, instead of asking the parser.
        style: the style, instead of asking the parser.
        mask: path of a mask picture (white = object), instead of asking the segmenter.
        size: longer side of the working picture in pixels; a smaller picture stays as it is.
        feather: width of the mask's soft edge in pixels.
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
        mask: str = "",
        size: int = 384,
        feather: float = 2.0,
        source_text: str = "a Photo",
    ) -> None:
        super().__init__()
        self.image = image
        self.parser = parser
        self.segmenter = segmenter
        self.instruction = instruction
        self.object = object
        self.style = style
        self.mask = mask
        self.size = size
        self.feather = feather
        self.source_text = source_text
        self.task: StyleTask | None = None
        self.seconds: dict[str, float] = {}
        self._batch: StyleBatch | None = None

    def setup(self, stage: str | None = None) -> None:
        """Load, parse and mask, once."""
        if self.task is not None:
            return
        picture = load_picture(self.image)
        content = to_tensor(fit_within(picture, self.size))
        start = time.perf_counter()
        target = self._parse()
        parsed = time.perf_counter()
        if self.mask:
            mask = load_mask(self.mask, picture.size)
        else:
            # The whole picture, not the smaller working one: the object is found the better, and
            # the mask is the one that `atelier mask` writes.
            mask = self.segmenter.segment(to_tensor(picture), target.object)
        self.seconds = {"parse": parsed - start, "mask": time.perf_counter() - parsed}
        mask = feather(resize(mask, content.shape[1:]), self.feather)
        self.task = StyleTask(content, (target,), mask.unsqueeze(0), self.source_text)

    def _parse(self) -> StyleTarget:
        needs_object = not (self.object or self.mask)
        if self.style and not needs_object:
            return StyleTarget(self.object, self.style)
        if not self.instruction.strip():
            raise AtelierError(
                'There is no instruction; say what to do, e.g. "Turn the boat to the art on fire", '
                "or give --style with --object or --mask"
            )
        parsed = self.parser.parse(self.instruction)[0]
        target = StyleTarget(self.object or parsed.object, self.style or parsed.style)
        if not target.style:
            raise AtelierError(
                f"No style was found in {_quoted(self.instruction)}; name one in it or with --style"
            )
        if needs_object and not target.object:
            raise AtelierError(
                f"No object was found in {_quoted(self.instruction)}; name one in it or with "
                "--object, or give its mask with --mask"
            )
        return target

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


def _quoted(text: str, length: int = 80) -> str:
    return repr(text if len(text) <= length else text[: length - 3] + "...")
