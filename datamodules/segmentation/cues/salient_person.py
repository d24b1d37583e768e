"""People without visible faces and without a side: the salient region."""

from __future__ import annotations

from dataclasses import dataclass

from datamodules.segmentation.cues.base import Cue, Finding
from datamodules.segmentation.cues.scene import Scene
from datamodules.segmentation.operations.phrases import direction, noun
from datamodules.vocabulary import PEOPLE


@dataclass(frozen=True)
class SalientPerson(Cue):
    """Cue for people as the salient region of the picture.

    Args:
        confidence: confidence in each mask, in [0, 1], where clothes are seen for sure; few such
            masks exist, so it is a guess.
    """

    confidence: float = 0.6

    def find(self, scene: Scene, phrase: str) -> Finding | None:
        if noun(phrase) not in PEOPLE or direction(phrase) is not None or not scene.shows(phrase):
            return None
        mask = scene.saliency > 0.5
        return Finding(mask, self.confidence * scene.clothing) if mask.any() else None
