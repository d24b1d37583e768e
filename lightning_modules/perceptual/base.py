"""Interface of content feature networks: a picture in, feature maps out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from lightning_modules.perceptual.tiles import reach, tiled


class ContentFeatures(nn.Module, ABC):
    """Frozen features in which output and content image are compared.

    Attributes:
        identity: name of the network; numbers of different networks are not comparable.
        tile: side in pixels of the tiles in which a large picture is processed, a multiple of
            tiles.STRIDE; 0 = the whole picture at once. The maps are the same.
    """

    identity: str
    tile: int = 0

    @abstractmethod
    def forward(self, image: Tensor) -> list[Tensor]:
        """Feature maps (N, C, h, w), one per layer, of pictures (N, 3, H, W) in [0, 1]."""

    def each(self, pictures: Sequence[Tensor]) -> list[list[Tensor]]:
        """Maps of each picture (1, 3, H, W); pictures of one size are processed in one call."""
        if self.tile:
            return [tiled(self, picture, self.tile, reach(self)) for picture in pictures]
        if len({picture.shape for picture in pictures}) > 1:
            return [self(picture) for picture in pictures]
        layers = self(torch.cat(list(pictures)))
        return [list(maps) for maps in zip(*(layer.split(1) for layer in layers), strict=True)]
