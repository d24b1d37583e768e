"""Interface of dense features, by which a segmenter compares the places of a picture."""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np
from torch import Tensor


class DenseFeatures(ABC):
    """Feature vectors on a grid over a picture."""

    @abstractmethod
    def __call__(self, picture: np.ndarray) -> Tensor:
        """Compute a map (D, h, w) of a picture, uint8 (H, W, 3)."""
