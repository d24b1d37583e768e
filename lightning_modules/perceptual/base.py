"""What every content feature network does: a picture in, the maps to be kept out."""

from __future__ import annotations

from abc import ABC, abstractmethod

from torch import Tensor, nn


class ContentFeatures(nn.Module, ABC):
    """Frozen features in which output and content image are compared.

    Attributes:
        identity: the network's name; numbers of two identities are not comparable.
    """

    identity: str

    @abstractmethod
    def forward(self, image: Tensor) -> list[Tensor]:
        """Feature maps, one a layer, of pictures (N, 3, H, W) in [0, 1]."""
