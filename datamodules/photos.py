"""Photos and style texts for training: random crops, read and cut by worker processes.

A sample is a pure function of the seed and its number: photo, crop, flip and style. A training that
goes on after a break therefore begins at the number at which it stopped, in the middle of a pass
over the photos, and processes on several devices take the samples that one process would.
"""

from __future__ import annotations

import hashlib
import logging
import os
import signal
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from lightning import LightningDataModule
from PIL import Image
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from datamodules.images import SMALLEST_SIDE, load_picture, to_tensor
from datamodules.support.errors import AtelierError
from datamodules.task import Blend
from datamodules.training.draws import Shares, card
from datamodules.training.files import picture_files
from datamodules.training.styles import blends

log = logging.getLogger(__name__)

PHOTOS, STYLES, CUT = range(3)  # series of random numbers
TRIES = 100  # photos in place of one that cannot be read


@dataclass(frozen=True)
class PhotoBatch:
    """Input of a training step.

    contents: crops of N photos, float32 (N, 3, S, S) in [0, 1].
    styles:   blend of styles for each of them.
    numbers:  of the samples, int64 (N,). steps: those of the optimizer that they belong to, (N,).
    skipped:  sentences on photos that could not be read and were replaced.
    """

    contents: Tensor
    styles: tuple[Blend, ...]
    numbers: Tensor
    steps: Tensor
    skipped: tuple[str, ...] = ()

    def to(self, device: torch.device | str) -> PhotoBatch:
        """The same batch with its tensors on `device`; from pinned memory without waiting."""
        return self._each(partial(torch.Tensor.to, device=device, non_blocking=True))

    def pin_memory(self) -> PhotoBatch:
        """The same batch in memory from which a GPU copies at once."""
        return self._each(torch.Tensor.pin_memory)

    def first(self, count: int) -> PhotoBatch:
        """The first samples."""
        return replace(self._each(lambda tensor: tensor[:count]), styles=self.styles[:count])

    def _each(self, function: Callable[[Tensor], Tensor]) -> PhotoBatch:
        names = ("contents", "numbers", "steps")
        return replace(self, **{name: function(getattr(self, name)) for name in names})


class Sample(NamedTuple):
    """One crop (3, S, S) with its style, number, and sentences on photos that it replaces."""

    content: Tensor
    style: Blend
    number: int
    skipped: tuple[str, ...]


class Samples(Dataset[Sample]):
    """Training samples by number.

    Every photo comes once in each pass over all photos, every style in each pass over all styles.
    In place of a photo that cannot be read another one is drawn.

    Args:
        files: the photos. styles: the blends. crop, scales, flip: see `PhotosDataModule`.
        seed: 0 or more.
    """

    def __init__(
        self,
        files: Sequence[Path],
        styles: Sequence[Blend],
        crop: int,
        scales: tuple[float, float] = (1.0, 1.0),
        flip: bool = False,
        seed: int = 0,
    ) -> None:
        self.files, self.styles, self.seed = files, styles, seed
        self.crop, self.scales, self.flip = crop, scales, flip

    def __getitem__(self, number: int) -> Sample:
        random = np.random.default_rng((self.seed, CUT, number))
        cut = random.random(4)
        place, skipped = card(self.seed, PHOTOS, number, len(self.files)), []
        for _ in range(TRIES):
            try:
                photo = load_picture(str(self.files[place]))
                break
            except AtelierError as error:
                skipped.append(str(error))
                place = random.integers(len(self.files))
        else:
            raise AtelierError(
                f"{TRIES} photos that were drawn cannot be read, the last one because: "
                f"{skipped[-1]}; mend the folder"
            )
        style = self.styles[card(self.seed, STYLES, number, len(self.styles))]
        return Sample(to_tensor(self._cut(photo, *cut)), style, number, tuple(skipped))

    def _cut(
        self, photo: Image.Image, x: float, y: float, scale: float, mirror: float
    ) -> Image.Image:
        """Square of the photo; x, y, scale, mirror: where, how large and whether flipped, by
        numbers in [0, 1).
        """
        low, high = self.scales
        side = min(self.crop / (low * (high / low) ** scale), *photo.size)
        if side == self.crop:  # no pixel is interpolated
            left, top = int(x * (photo.width - side + 1)), int(y * (photo.height - side + 1))
            square = photo.crop((left, top, left + self.crop, top + self.crop))
        else:
            left, top = x * (photo.width - side), y * (photo.height - side)
            box, size = (left, top, left + side, top + side), (self.crop, self.crop)
            square = photo.resize(size, Image.Resampling.LANCZOS, box)
        if self.flip and mirror < 0.5:
            return square.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        return square


def batch_of(samples: Sequence[Sample], batch_size: int) -> PhotoBatch:
    """Samples as one batch. batch_size: samples per step of the optimizer."""
    contents, styles, numbers, skipped = zip(*samples, strict=True)
    sentences = tuple(dict.fromkeys(sentence for some in skipped for sentence in some))
    keys = torch.tensor(numbers)
    return PhotoBatch(torch.stack(contents), styles, keys, keys // batch_size, sentences)


class PhotosDataModule(LightningDataModule):
    """Photos of any folders in crops, each with one of the style texts.

    Args:
        folders: folders of photos with all folders in them, such as those of COCO and DIV2K;
            "packages" is a name for the photos that installed packages ship.
        styles: style texts or blends such as "0.7*Van Gogh + 0.3*Hokusai", or the path of a text
            file with one per line.
        crop: side of the square crops in pixels, 32 or more. A photo that is smaller is enlarged.
        batch_size: pictures per step of the optimizer, over all devices and accumulated batches.
        scales: range of the factors by which a photo is scaled before the crop is cut, at random;
            [1, 1] cuts without scaling.
        flip: mirror half of the crops.
        workers: processes per device that read photos; 0 = the training process itself.

    Attributes:
        files: the photos. blends: the styles.
        seed: that of the process at construction.
    """

    def __init__(
        self,
        folders: str | list[str],
        styles: str | list[str],
        crop: int = 224,
        batch_size: int = 4,
        scales: tuple[float, float] = (1.0, 1.0),
        flip: bool = False,
        workers: int = 2,
    ) -> None:
        super().__init__()
        low, high = scales
        if crop < SMALLEST_SIDE or not 0 < low <= high or workers < 0:
            raise AtelierError(
                f"Photos cannot be cut with crop={crop}, scales=[{low:g}, {high:g}] and "
                f"workers={workers}; give a crop of {SMALLEST_SIDE} px or more, factors above 0 "
                "with the smaller one first, and 0 or more workers"
            )
        self.folders = [folders] if isinstance(folders, str) else folders
        self.styles = styles
        self.crop, self.batch_size, self.workers = crop, batch_size, workers
        self.scales, self.flip = (low, high), flip
        self.seed = torch.initial_seed()
        self.skipped: set[str] = set()

    @cached_property
    def files(self) -> list[Path]:
        return picture_files(self.folders)

    @cached_property
    def blends(self) -> list[Blend]:
        return blends(self.styles)

    @cached_property
    def samples(self) -> Samples:
        """The training samples by number."""
        return Samples(self.files, self.blends, self.crop, self.scales, self.flip, self.seed)

    def setup(self, stage: str | None = None) -> None:
        """Find photos and read styles, once; AtelierError where there are none."""
        _ = self.samples

    def train_dataloader(self) -> DataLoader:
        """Batches of this process without an end, from the trainer's next step on."""
        trainer, shares = self.trainer, Shares(self.batch_size)
        if trainer is not None:
            accumulated, processes = trainer.accumulate_grad_batches, trainer.world_size
            step, rank = trainer.global_step, trainer.global_rank
            shares = Shares(self.batch_size, step, accumulated, processes, rank)
        return DataLoader(
            self.samples,
            batch_sampler=shares,
            num_workers=self.workers,
            collate_fn=partial(batch_of, batch_size=self.batch_size),
            pin_memory=torch.cuda.is_available(),
            worker_init_fn=_start_worker,
        )

    def on_before_batch_transfer(self, batch: PhotoBatch, dataloader_idx: int) -> PhotoBatch:
        """Name each photo that was skipped, once."""
        for sentence in batch.skipped:
            if sentence not in self.skipped:
                self.skipped.add(sentence)
                log.warning("Skipped: %s", sentence)
        return batch

    def example(self) -> PhotoBatch:
        """The first sample as a batch."""
        return batch_of([self.samples[0]], self.batch_size)

    def preview(self, photos: int, styles: int) -> tuple[Tensor, list[Blend]]:
        """The first crops (N, 3, S, S), each of another photo, and the first blends; always the
        same ones.
        """
        count = min(photos, len(self.files))
        crops = [self.samples[number].content for number in range(count)]
        return torch.stack(crops), self.blends[:styles]

    def state_dict(self) -> dict[str, Any]:
        """Digest of the photos' names and the styles, by which a later part of the training sees
        whether they are the same.
        """
        return {"data": self._digest()}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        if state_dict["data"] != self._digest():
            log.warning(
                "The photos or styles are not those of the interrupted training: it goes on, but "
                "with other samples than it would have had"
            )

    def _digest(self) -> str:
        root = os.path.commonpath([file.parent for file in self.files])
        names = [os.path.relpath(file, root) for file in self.files]
        return hashlib.sha256(repr((names, self.blends)).encode()).hexdigest()


def _start_worker(worker: int) -> None:
    """Leave interruptions to the training process, and remarks on single photos out."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    logging.getLogger("datamodules.reading").setLevel(logging.ERROR)
