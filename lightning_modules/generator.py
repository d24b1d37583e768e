"""What every generator does: the content image in, the stylized image out."""

from __future__ import annotations

from abc import ABC, abstractmethod

from torch import Tensor, nn

from datamodules.task import StyleBatch


class Generator(nn.Module, ABC):
    """The network whose weights are optimised for one picture.

    Attributes:
        note: what people must know about how the styles were taken, "" if nothing.
        any_size: whether it paints pictures of other sizes than the one it was optimised on.
    """

    note: str = ""
    any_size: bool = True

    def start(self, batch: StyleBatch) -> None:
        """Called once, before the optimizer is made, with what is to be painted."""

    @abstractmethod
    def forward(self, content: Tensor) -> Tensor:
        """Pictures (N, 3, H, W) in [0, 1] to pictures of the same size in [0, 1]."""
