"""Text to mask from embedded models only: a list of cues, of which the first with a mask decides.

The cues know kinds of objects (`cues/`): people with visible faces, then sky, ground and
background, then people turned away, and last everything that ImageNet's classes, the bridge from
words to pixels, can name. An ablation leaves a cue out of the list.
"""

from __future__ import annotations

from collections.abc import Hashable
from functools import partial
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from datamodules.images import to_array
from datamodules.segmentation.base import ObjectNotFoundError, Segmenter, instead
from datamodules.segmentation.cues.base import Cue, Finding
from datamodules.segmentation.cues.classes import Classes
from datamodules.segmentation.cues.heads import Heads
from datamodules.segmentation.cues.people import People
from datamodules.segmentation.cues.salient_person import SalientPerson
from datamodules.segmentation.cues.scene import Scene
from datamodules.segmentation.cues.stuff import Stuff
from datamodules.segmentation.operations.arrays import resize_array
from datamodules.segmentation.operations.class_reader import ClassReader
from datamodules.segmentation.operations.confidence import LINE
from datamodules.support.errors import AtelierError

TINY = 16  # px; a picture with a shorter side is taken as a whole, like one of a single colour


class BridgeSegmenter(Segmenter):
    """Segmenter of any phrase, about 4 s per picture on a CPU.

    Args:
        cues: cues in the order in which they are tried; null = People, Stuff, Heads,
            SalientPerson, Classes.
        side: longer side in px at which masks are made.
        presence: least evidence (see `Reading`) that an object without a cue of its own is in the
            picture. At 0.5, 5% of 24 phrases for absent objects pass on 17 pictures
            (docs/masks.md).
        scales: longer sides in px at which the classifier reads the picture.
        temperature: temperature of the cosines between phrase and class names, > 0; the greater,
            the more remote classes count.
        name_ridge: ridge of the regression from class names to classifier weights, > 0.
        classes: settings of the cue `Classes`, if `cues` is null.
    """

    line: ClassVar[float] = LINE

    def __init__(
        self,
        cues: list[Cue] | None = None,
        side: int = 256,
        presence: float = 0.5,
        scales: tuple[int, ...] = (256, 320, 384, 512, 640),
        temperature: float = 0.15,
        name_ridge: float = 3.0,
        **classes: Any,
    ) -> None:
        default = [People(), Stuff(), Heads(), SalientPerson(), Classes(**classes)]
        self.cues = default if cues is None else cues
        lost = [name for name in classes if classes[name] != getattr(Classes, name)]
        if lost and cues is not None:
            raise AtelierError(
                f"{', '.join(lost)} are settings of the cue Classes; set them in its entry of "
                "`cues`, or leave `cues` out"
            )
        self.side = side
        self.presence = presence
        self.reader = ClassReader(scales, temperature, name_ridge)
        self._scene: Scene | None = None

    @property
    def identity(self) -> Hashable:
        return type(self), self.side, self.presence, self.reader, *self.cues

    @torch.no_grad()
    def segment(self, content: Tensor, phrase: str) -> Tensor:
        self.refuse_empty(phrase)
        height, width = content.shape[1:]
        if min(height, width) < TINY or content.min() == content.max():
            self.confidence = 1.0
            return torch.ones(height, width)
        scene = self.scene(content)
        finding = self.find(scene, phrase)
        self.confidence = finding.confidence
        self.warn(phrase, partial(scene.things, phrase))
        return torch.from_numpy(resize_array(finding.mask.astype(np.float32), height, width))

    def find(self, scene: Scene, phrase: str) -> Finding:
        """Finding of the first cue that has one; ObjectNotFoundError if none has."""
        for cue in self.cues:
            if finding := cue.find(scene, phrase):
                return finding
        raise ObjectNotFoundError(
            f'"{phrase}" was not found in the picture{instead(scene.things(phrase))}; try another '
            "phrase or give --mask FILE"
        )

    @torch.no_grad()
    def evidence(self, content: Tensor, phrases: list[str]) -> dict[str, float]:
        """Evidence, by phrase, that it is in a picture (3, H, W) in [0, 1]; see `presence`."""
        scene = self.scene(content)
        return {phrase: scene.reading(phrase).evidence for phrase in phrases}

    def scene(self, content: Tensor) -> Scene:
        """Scene of a picture (3, H, W) in [0, 1].

        That of the last picture stays: often several phrases are looked for in one.
        """
        picture = to_array(content)
        if self._scene is None or not np.array_equal(picture, self._scene.picture):
            self._scene = Scene(picture, self.side, self.reader, self.presence)
        self._scene.presence = self.presence
        return self._scene
