"""No segmentation: the whole picture is to be stylized, as CLIPstyler has it."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor

from datamodules.segmentation.base import Segmenter


class WholePicture(Segmenter):
    """A mask of ones, whatever the phrase."""

    needs_phrase: ClassVar[bool] = False

    def segment(self, content: Tensor, phrase: str) -> Tensor:
        self.ignore(phrase)
        return torch.ones_like(content[0])
