"""Preservation of the contours of a picture."""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor

from atelier_template.edges import contours
from evaluation.metrics.base import PictureMetric, Pictures
from evaluation.metrics.scores import Score


class Contours(PictureMetric):
    """Mean difference of the contours before and after."""

    scores: ClassVar = {
        "contour_loss": Score(False, 0, 2, "mean |C(O) - C(I)|", title="lost contours"),
    }

    def score(self, pictures: Pictures) -> dict[str, Tensor]:
        """(N,) values of each score, for N pictures at once."""
        change = contours(pictures.output) - contours(pictures.content)
        return {"contour_loss": change.abs().mean((1, 2, 3))}
