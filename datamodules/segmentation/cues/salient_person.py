"""People without visible faces and without a side: the salient region, if it is warm."""

from __future__ import annotations

from dataclasses import dataclass

from datamodules.segmentation.cues.base import Cue, Finding
from datamodules.segmentation.cues.scene import Scene
from datamodules.segmentation.operations.arrays import resize_array
from datamodules.segmentation.operations.phrases import direction, noun
from datamodules.segmentation.operations.voting import correlation
from datamodules.vocabulary import PEOPLE


@dataclass(frozen=True)
class SalientPerson(Cue):
    """Cue for people as the salient region of the picture.

    Args:
        confidence: confidence in each mask, in [0, 1]: a guess, since few such masks exist.
        warm: least correlation of the region with the heat map of the phrase, in [-1, 1].
    """

    confidence: float = 0.5
    warm: float = 0.1

    def find(self, scene: Scene, phrase: str) -> Finding | None:
        if noun(phrase) not in PEOPLE or direction(phrase) is not None or not scene.shows(phrase):
            return None
        mask = scene.saliency > 0.5
        heat = resize_array(scene.reading(phrase).heat.numpy(), *mask.shape)
        if mask.any() and correlation(heat, mask[None])[0] > self.warm:
            return Finding(mask, self.confidence)
        return None
