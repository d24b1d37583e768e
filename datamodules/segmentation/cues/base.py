"""Interface of the cues of the bridge segmenter."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from datamodules.segmentation.cues.scene import Scene
from datamodules.segmentation.operations.confidence import expected_overlap


@dataclass(frozen=True)
class Finding:
    """Mask of an object.

    Attributes:
        mask: bool (h, w), of the size of the scene's small picture.
        confidence: expected overlap (IoU) with the object, in [0, 1].
        kind: kind of object for which the confidence was fitted (`operations.confidence`), or "".
        signs: by which it was computed.
    """

    mask: np.ndarray
    confidence: float
    kind: str = ""
    signs: Mapping[str, float] = field(default_factory=dict)

    @classmethod
    def by_signs(cls, mask: np.ndarray, kind: str, signs: Mapping[str, float]) -> Finding:
        """Finding whose confidence follows from signs."""
        return cls(mask, expected_overlap(kind, signs), kind, signs)


class Cue(ABC):
    """One way of finding objects of one kind."""

    @abstractmethod
    def find(self, scene: Scene, phrase: str) -> Finding | None:
        """Find the object of a phrase in a picture; None leaves it to the next cue."""
