"""Interface of the cues of the bridge segmenter."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np

from datamodules.segmentation.cues.scene import Scene


@dataclass(frozen=True)
class Finding:
    """Mask of an object.

    Attributes:
        mask: bool (h, w), of the size of the scene's small picture.
        confidence: expected overlap (IoU) with the object, in [0, 1].
    """

    mask: np.ndarray
    confidence: float


class Cue(ABC):
    """One way of finding objects of one kind."""

    @abstractmethod
    def find(self, scene: Scene, phrase: str) -> Finding | None:
        """Find the object of a phrase in a picture; None leaves it to the next cue."""
