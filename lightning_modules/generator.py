"""What every generator does: the content image in, the stylized image out."""

from __future__ import annotations

from abc import ABC, abstractmethod

from torch import Tensor, nn


class Generator(nn.Module, ABC):
    """The network whose weights are optimised for one picture."""

    def start(self, content: Tensor) -> None:
        """Called once, before the optimizer is made, with the content image (1, 3, H, W)."""

    @abstractmethod
    def forward(self, content: Tensor) -> Tensor:
        """Pictures (N, 3, H, W) in [0, 1] to pictures of the same size in [0, 1]."""
