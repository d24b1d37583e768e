"""Encoder and decoder, of which only the decoder learns: the networks of CLIPstyler's fast mode."""

from __future__ import annotations

from abc import ABC, abstractmethod

from torch import Tensor, nn


class Pair(nn.Module, ABC):
    """Frozen encoder of pictures, and decoders of its maps."""

    @abstractmethod
    def encode(self, content: Tensor) -> Tensor:
        """Maps (N, C, h, w) of pictures (N, 3, H, W) in [0, 1], whose sides may be rounded up."""

    @abstractmethod
    def decoder(self, style: str) -> nn.Module:
        """Decoder from maps (N, C, h, w) to pictures of at least the size that was encoded, from
        which the training for a style text starts; for "" any weights of that form.
        """
