"""Losses as scores, as Generative Artisan is evaluated: one definition for all methods.

Methods mean different things by "patch" or "global", so their own logs cannot be compared. Here
CLIPstyler's four losses (eq. 1, 2, 4) are computed on the pictures themselves: on the output, and
on the run's intermediate pictures, whose mean over the steps is the area under the curve.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import ClassVar

import torch
from torch import Tensor

from evaluation.metrics import scores as declared
from evaluation.metrics.base import UNDEFINED, PictureMetric, Pictures
from lightning_modules.encoders.base import JointEncoder
from lightning_modules.losses.content import content_loss
from lightning_modules.losses.directional import directional_loss
from lightning_modules.losses.patch import patch_loss
from lightning_modules.losses.total_variation import total_variation
from lightning_modules.perceptual.base import ContentFeatures
from lightning_modules.steps.directions import blend_direction, embed_prompted
from lightning_modules.steps.patches import cut, every_box, random_corners, sizes


def area(values: Mapping[int, float]) -> float:
    """Area under a curve of values by step (trapezoids) over its length: a mean over the steps."""
    steps = torch.tensor(sorted(values), dtype=torch.float64)
    heights = torch.tensor([values[int(step)] for step in steps], dtype=torch.float64)
    return float(torch.trapezoid(heights, steps) / (steps[-1] - steps[0]))


class LossScores(PictureMetric):
    """The four losses of the output, and their mean over the steps (area under the curve).

    Patches, perspectives and source text are the same for every picture of one size. The style is
    the first region's; UNDEFINED without a style text and, for the areas, with fewer than two
    intermediate pictures.

    Args:
        scorer: the joint encoder of the directional losses.
        features: the content features.
        tau: threshold of the patch loss.
        patches: number per picture.
        brush: their side relative to the picture's shorter side; the papers' is 0.25.
    """

    reads_course = True
    scores: ClassVar = declared.LOSSES

    def __init__(
        self,
        scorer: JointEncoder,
        features: ContentFeatures,
        tau: float = 0.7,
        patches: int = 64,
        brush: float = 0.25,
    ) -> None:
        super().__init__(network=f"{scorer.identity}+{features.identity}")
        self.scorer = scorer
        self.features = features
        self.tau = tau
        self.patches = patches
        self.brush = brush

    def score(self, pictures: Pictures) -> dict[str, Tensor]:
        rows = [self._row(pictures, index) for index in range(len(pictures))]
        return {
            name: pictures.mask.new_tensor([row.get(name, UNDEFINED) for row in rows])
            for name in self.scores
        }

    def _row(self, pictures: Pictures, index: int) -> dict[str, float]:
        """All scores of one picture; {} without a style text."""
        styles = pictures.regions[index][0].styles
        if not styles:
            return {}
        embed = partial(embed_prompted, self.scorer)
        direction = blend_direction(embed, styles, embed(pictures.source_text))
        content = pictures.content[index : index + 1]
        before = self.scorer.embed_images(self.scorer.view(content)), self.features(content)
        course = pictures.course[index] if pictures.course else {}
        curve = {at: self.losses(image[None], *before, direction) for at, image in course.items()}
        final = self.losses(pictures.output[index : index + 1], *before, direction)
        if len(curve) < 2:
            return final
        areas = {
            f"{name}_area": area({step: losses[name] for step, losses in curve.items()})
            for name in final
        }
        return final | areas

    def losses(
        self, output: Tensor, before: Tensor, maps: list[Tensor], direction: Tensor
    ) -> dict[str, float]:
        """CLIPstyler's losses of a picture (1, 3, H, W) towards dT (D,), by name.

        before, maps: the content image's embedding (1, D) and content features.
        """
        after = self.scorer.embed_images(self.scorer.view(output))
        patches = self.scorer.embed_images(self._patches(output))
        directional = directional_loss(patches, before, direction)
        values = {
            "loss_global": directional_loss(after, before, direction)[0],
            "loss_patch": patch_loss(directional, self.tau),
            "loss_content": content_loss(self.features(output), maps),
            "loss_tv": total_variation(output),
        }
        return {name: float(value) for name, value in values.items()}

    def _patches(self, image: Tensor) -> Tensor:
        """Patches at the same places, by the same perspectives, for every picture of one size."""
        height, width = image.shape[2:]
        side = sizes(self.brush, height, width)[0]
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            boxes = every_box(height, width, side)
            boxes = boxes[torch.randint(len(boxes), (self.patches,))].to(image)
            corners = random_corners(self.patches, 0.5).to(image)
        return cut(image, boxes, corners, side, self.scorer.image_size)
