"""The picture itself as the generator, as in Gatys et al. (2016)."""

from __future__ import annotations

from torch import Tensor, nn

from datamodules.task import StyleBatch
from lightning_modules.generators.base import Generator


class Pixels(Generator):
    """Every pixel is a parameter; the optimisation starts from the content image."""

    any_size = False

    def __init__(self) -> None:
        super().__init__()
        self.register_parameter("picture", None)

    def start(self, batch: StyleBatch) -> None:
        self.picture = nn.Parameter(batch.content.clone())

    def forward(self, content: Tensor) -> Tensor:
        return self.picture.clamp(0, 1)
