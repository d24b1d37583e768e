"""Interface of joint encoders: pictures and texts in, unit vectors of one space out."""

from __future__ import annotations

from abc import ABC, abstractmethod

from torch import Tensor, nn
from torch.nn import functional as F


class JointEncoder(nn.Module, ABC):
    """E_I and E_T of the papers. Frozen: gradients flow to pictures, never to weights.

    Attributes:
        image_size: side in pixels of the encoder's square input.
        identity: name of its networks; encoders of one identity are one judge.
    """

    image_size: int
    identity: str

    @abstractmethod
    def embed_images(self, images: Tensor) -> Tensor:
        """Unit vectors (N, D) of pictures (N, 3, image_size, image_size) in [0, 1]."""

    @abstractmethod
    def embed_texts(self, texts: list[str]) -> Tensor:
        """Unit vectors (K, D) of K texts."""

    def view(self, image: Tensor) -> Tensor:
        """Whole pictures (N, 3, H, W), resized to (N, 3, image_size, image_size)."""
        size = (self.image_size, self.image_size)
        return F.interpolate(image, size, mode="bicubic", antialias=True, align_corners=False)
