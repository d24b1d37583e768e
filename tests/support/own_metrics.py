"""A metric as users write them."""

from typing import ClassVar

from evaluation.metrics.base import PictureMetric
from evaluation.metrics.scores import Score


class Green(PictureMetric):
    """Mean of the green channel."""

    scores: ClassVar = {"green": Score(None, 0, 1, "own")}

    def score(self, pictures):
        return {"green": pictures.output[:, 1].mean((1, 2))}
