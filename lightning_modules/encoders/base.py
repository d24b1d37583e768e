"""Interface of joint encoders: pictures and texts in, unit vectors of one space out."""

from __future__ import annotations

import re
import unicodedata
from abc import ABC, abstractmethod
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F


def pieces(text: str) -> list[str]:
    """Words and single other signs of a text."""
    return re.findall(r"\w[\w\u0300-\u036f]*|[^\w\s]\ufe0f?", text)


def is_foreign(piece: str) -> bool:
    """Whether a piece has letters that are not Latin, or symbols such as emoji."""
    return any(
        unicodedata.category(sign) == "So"
        or (
            unicodedata.category(sign).startswith("L") and "LATIN" not in unicodedata.name(sign, "")
        )
        for sign in piece
    )


class JointEncoder(nn.Module, ABC):
    """E_I and E_T of the papers. Frozen: gradients flow to pictures, never to weights.

    Args:
        mean, std: of red, green and blue, by which `embed_images` normalises pictures.

    Attributes:
        image_size: side in pixels of the encoder's square input.
        identity: name of its networks; encoders of one identity are one judge.
        input_mean, input_std: mean and std as (3, 1, 1).
    """

    image_size: int
    identity: str

    def __init__(
        self, mean: Sequence[float] = (0.0, 0.0, 0.0), std: Sequence[float] = (1.0, 1.0, 1.0)
    ) -> None:
        super().__init__()
        for name, values in (("input_mean", mean), ("input_std", std)):
            self.register_buffer(name, torch.tensor(values).view(3, 1, 1), persistent=False)

    @abstractmethod
    def embed_images(self, images: Tensor) -> Tensor:
        """Unit vectors (N, D) of pictures (N, 3, image_size, image_size) in [0, 1]."""

    @abstractmethod
    def text_features(self, texts: list[str]) -> Tensor:
        """Embeddings (K, D) of K texts, of any length, as the network gives them."""

    def embed_texts(self, texts: list[str]) -> Tensor:
        """Unit vectors (K, D) of K texts."""
        return F.normalize(self.text_features(texts), dim=-1)

    def text_tokens(self, texts: list[str]) -> tuple[Tensor, Tensor]:
        """States (K, L, D) of the tokens of K texts, and which of them are no padding, bool (K, L).

        An encoder that gives no states has one token per text: its embedding.
        """
        states = self.text_features(texts).unsqueeze(1)
        return states, torch.ones(states.shape[:2], dtype=torch.bool, device=states.device)

    def unread(self, text: str) -> list[str]:
        """Words and signs of a text that the encoder cannot read: other scripts, emoji."""
        return [piece for piece in pieces(text) if is_foreign(piece)]

    def fits(self, text: str) -> bool:
        """Whether the encoder reads a text to its end."""
        return True

    def bare(self, images: Tensor) -> Tensor:
        """Pictures (N, 3, S, S) whose normalisation by `embed_images` gives `images` themselves."""
        return images * self.input_std + self.input_mean

    def view(self, image: Tensor, antialias: bool = True) -> Tensor:
        """Whole pictures (N, 3, H, W), resized to (N, 3, image_size, image_size), bicubic.

        antialias: smooth a larger picture first, so that no detail turns into false patterns.
        """
        size = (self.image_size, self.image_size)
        return F.interpolate(image, size, mode="bicubic", antialias=antialias, align_corners=False)
