"""Sketch: the picture takes the style of a text, and its contours stay.

As in CLIPstyler (Kwon and Ye, CVPR 2022, eq. 1), the picture moves in the direction of the style in
the joint space. Instead of the features of a network, the contours preserve the content.

Example: atelier stylize skimage:chelsea --method sketch --style "pencil drawing"
"""

from __future__ import annotations

from typing import Any

from torch import Tensor

from atelier_template.edges import blurred, contours
from datamodules.task import StyleBatch
from lightning_modules.losses.directional import directional_loss
from lightning_modules.stylization import Features, Stylization


class Sketch(Stylization):
    """Text-guided style transfer of the whole picture that keeps its contours.

    Losses: `global` and `contours`. Settings beside those of Stylization:

    Args:
        spread: times that the contours are blurred before they are compared, 0 or more.
    """

    def __init__(self, spread: int = 1, **settings: Any) -> None:
        super().__init__(**settings)
        self.spread = spread

    def prepare(self, batch: StyleBatch) -> None:
        """Once, before the first step: the direction of the style, and the photo's contours."""
        super().prepare(batch)
        (self.direction,) = self.directions_of(batch)
        self.contours = self._contours(batch.content)

    def views(self, output: Tensor, batch: StyleBatch) -> Tensor:
        """Pictures that the encoder sees in this step, (V, 3, S, S): here the output alone."""
        return self.viewer.view(output)

    def losses(self, output: Tensor, features: Features, batch: StyleBatch) -> dict[str, Tensor]:
        """One scalar per name in `weights`; features.embeddings are those of the views, (V, D)."""
        towards = directional_loss(features.embeddings, self.content_embedding, self.direction)
        distance = (self._contours(output) - self.contours) ** 2
        return {"global": towards.mean(), "contours": distance.mean()}

    def _contours(self, picture: Tensor) -> Tensor:
        strength = contours(picture)
        for _ in range(self.spread):
            strength = blurred(strength)
        return strength
