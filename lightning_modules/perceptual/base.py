"""What every content feature network does: a picture in, the maps to be kept out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from lightning_modules.perceptual.tiles import reach, tiled


class ContentFeatures(nn.Module, ABC):
    """Frozen features in which output and content image are compared.

    Attributes:
        identity: the network's name; numbers of two identities are not comparable.
        tile: side in pixels of the tiles that a large picture is looked at in, a multiple of
            tiles.STRIDE; 0 = whole. The maps are the same.
    """

    identity: str
    tile: int = 0

    @abstractmethod
    def forward(self, image: Tensor) -> list[Tensor]:
        """Feature maps, one a layer, of pictures (N, 3, H, W) in [0, 1]."""

    def each(self, pictures: Sequence[Tensor]) -> list[list[Tensor]]:
        """The maps of each picture (1, 3, H, W), in one call where they are of one size."""
        if self.tile:
            return [tiled(self, picture, self.tile, reach(self)) for picture in pictures]
        if len({picture.shape for picture in pictures}) > 1:
            return [self(picture) for picture in pictures]
        maps = self(torch.cat(list(pictures)))
        return [list(own) for own in zip(*(layer.split(1) for layer in maps), strict=True)]
