"""A picture as the cues of the bridge segmenter share it."""

from __future__ import annotations

from functools import cached_property

import numpy as np
from torch import Tensor

from datamodules.segmentation.operations.arrays import fit_array
from datamodules.segmentation.operations.class_reader import ClassReader, Reading
from datamodules.segmentation.operations.faces import Face, find_faces
from datamodules.segmentation.operations.phrases import noun
from datamodules.segmentation.operations.saliency import salient
from datamodules.segmentation.operations.things import classes_by_name, clothes, likely_things
from datamodules.vocabulary import PEOPLE

NEAREST = 3  # so many things are named where a phrase may be wrong
HEAT_SIDE = 96  # px; five times the cells of the largest scale: edges are left to GrabCut
PEOPLE_ALLOWANCE = 1.0  # people are no ImageNet class: so much less evidence suffices for them


class Scene:
    """One picture; what several cues need of it is computed once, when it is first needed.

    Args:
        picture: uint8 (H, W, 3).
        side: longer side in px of `small`, the picture at the size of the cues' masks.
        reader: reads phrases in the picture.
        presence: least evidence for a phrase to be in the picture.
    """

    def __init__(
        self, picture: np.ndarray, side: int, reader: ClassReader, presence: float
    ) -> None:
        self.picture = picture
        self.small = fit_array(picture, side)
        self.reader = reader
        self.presence = presence
        self._readings: dict[str, Reading] = {}

    @cached_property
    def saliency(self) -> np.ndarray:
        """Saliency in the whole small picture, float32 (h, w) in [0, 1]."""
        return salient(self.small, (0, 0, *self.small.shape[:2]))

    @cached_property
    def clothing(self) -> float:
        """Probability of clothes where they are likeliest, in [0, 1]: people wear them."""
        return self.reader.likeliest(self._cells, clothes())

    @cached_property
    def faces(self) -> list[Face]:
        """Faces in the picture, in px of the small picture."""
        return find_faces(self.picture, len(self.small))

    @cached_property
    def _cells(self) -> list[Tensor]:
        return self.reader.cells(self.picture)

    def reading(self, phrase: str) -> Reading:
        """Reading of a phrase in the picture."""
        if phrase not in self._readings:
            size = fit_array(self.small[..., 0], HEAT_SIDE).shape
            self._readings[phrase] = self.reader.read(self._cells, phrase, size)
        return self._readings[phrase]

    def things(self, phrase: str) -> list[str]:
        """Names of the things that are in the picture for sure, those nearest to a phrase first."""
        if not self.surest:
            return ["person"] if self.faces else []
        nearness = self.reader.nearness(phrase)
        classes = classes_by_name()
        nearest = sorted(self.surest, key=lambda name: -float(nearness[classes[name]].max()))
        return nearest[:NEAREST]

    @cached_property
    def surest(self) -> list[str]:
        """Names of the things that are in the picture for sure, the surest first."""
        return likely_things(self.reader.whole(self._cells))

    def shows(self, phrase: str) -> bool:
        """Whether the evidence suffices that a phrase is in the picture."""
        allowance = PEOPLE_ALLOWANCE if noun(phrase) in PEOPLE else 0.0
        return self.reading(phrase).evidence >= self.presence - allowance
