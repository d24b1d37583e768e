"""No segmentation: the whole picture is stylized, as in CLIPstyler."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor

from datamodules.segmentation.base import Segmenter


class WholePicture(Segmenter):
    """Segmenter whose mask covers everything; phrases are ignored."""

    needs_phrase: ClassVar[bool] = False

    def segment(self, content: Tensor, phrase: str) -> Tensor:
        self.ignore(phrase)
        return torch.ones_like(content[0])
