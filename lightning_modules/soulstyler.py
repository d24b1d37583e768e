"""Soulstyler (Chen et al., 2023, arXiv 2311.13562): only the named object takes the style.

CLIPstyler's losses, with patches cut from the object alone: a crop is a target patch if the mask
covers at least `coverage` of it (the paper: 0.8). Crops of the background that look unlike the
object are anchors: they are held to the photo. Crops of the background that look like the object
are attributed to errors of the segmenter and stylized as well. All places are fixed before the
first step: coverage by a summed-area table of the mask, likeness by the embeddings of a pool of
content crops.

Example: atelier stylize skimage:chelsea "Turn the cat to 0.5*fire + 0.5*ice" --method soulstyler

Two deviations are ours:
- `blending.composite` (on): output and content are blended by the soft mask, so that the background
  is exactly the photo; the paper's background loss only pulls it there. Then nothing can change in
  the background, and neither anchors nor look-alike crops are drawn.
- `brush` may name several sizes, which paints strokes of several scales.
"""

from __future__ import annotations

import logging
import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from datamodules.support.errors import AtelierError
from datamodules.task import StyleBatch
from lightning_modules.losses.directional import directional_loss
from lightning_modules.losses.patch import patch_loss
from lightning_modules.steps.blending import Blending
from lightning_modules.steps.deviations import Deviations
from lightning_modules.steps.patches import (
    Patches,
    Places,
    covered_boxes,
    divide,
    draw,
    every_box,
    mean_within,
)
from lightning_modules.stylization import Features, Stylization

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class SoulstylerDeviations(Deviations):
    """Deviations of the published code: the shared ones but `stretched_contrast`, and two more.

    Args:
        no_global: the global loss is 0.
        bare_likeness: crops are compared by embeddings of pictures that the encoder gets without
            its mean and standard deviation; the limits .12 and .06 were chosen for these.
    """

    stretched_contrast: bool | None = False
    no_global: bool | None = None
    bare_likeness: bool | None = None


@dataclass(frozen=True)
class Likeness:
    """Comparison of background crops with crops of the object, by cosine distance of embeddings.

    Args:
        background_coverage: a crop belongs to the background if the mask covers less of it.
        far: distance above which a crop is unlike a crop of the object, in [0, 2].
        far_share: share of the object's crops that an anchor must be unlike, in [0, 1).
        near: distance below which a crop is like a crop of the object, in [0, 2].
        near_share: share of the object's crops that a look-alike must be like, in [0, 1).
        extra_share: look-alike patches per step, relative to the target patches, >= 0; rounded up.
    """

    background_coverage: float = 0.1
    far: float = 0.12
    far_share: float = 0.8
    near: float = 0.06
    near_share: float = 0.2
    extra_share: float = 0.1

    def __post_init__(self) -> None:
        if self.extra_share < 0:
            raise AtelierError(f"likeness.extra_share={self.extra_share:g} must be 0 or more")

    def extra(self, count: int) -> int:
        """Look-alike patches beside `count` target patches."""
        return math.ceil(self.extra_share * count)

    def anchors(self, distances: Tensor) -> Tensor:
        """Crops (M,) bool unlike the object; distances (M, N) to crops of the object."""
        return (distances > self.far).float().mean(1) > self.far_share

    def look_alikes(self, distances: Tensor) -> Tensor:
        """Crops (M,) bool like the object; distances (M, N) to crops of the object."""
        return (distances < self.near).float().mean(1) > self.near_share


class Soulstyler(Stylization):
    """Object-targeted style transfer by patches that lie on the object.

    Losses: `global`, `patch`, `background`, `content` and `tv`. Settings beside those of
    Stylization:

    Args:
        patches: number and distortion of the patches of the object per step.
        coverage: share of a patch that must lie on the object, in (0, 1]. If no patch fits the
            object, smaller ones are used, and a warning says so.
        tau: threshold rejection: patches whose directional loss is at most tau are left alone.
        pool: number of background crops that are compared with the object before the first step.
        likeness: limits that divide these crops into anchors, look-alikes and others.
        blending: parts of the photo that stay in the picture; here `composite` is on.
        deviations: single deviations of the published code, on or off whatever `mode` says.
    """

    def __init__(
        self,
        *,
        patches: Patches = Patches(),
        coverage: float = 0.8,
        tau: float = 0.7,
        pool: int = 256,
        likeness: Likeness = Likeness(),
        blending: Blending = Blending(composite=True),
        deviations: SoulstylerDeviations = SoulstylerDeviations(),
        **settings: Any,
    ) -> None:
        super().__init__(blending=blending, deviations=deviations, **settings)
        if not 0 < coverage <= 1 or pool < 1:
            raise AtelierError(f"coverage={coverage} must be in (0, 1], and pool={pool} 1 or more")
        self.patches = patches
        self.coverage = coverage
        self.tau = tau
        self.pool = pool
        self.likeness = likeness

    def prepare(self, batch: StyleBatch) -> None:
        super().prepare(batch)
        mask, count = batch.masks[0, 0], self.patches.count
        (self.direction,) = self.directions_of(batch)
        on_object = tuple(covered_boxes(mask, size, self.coverage) for size in self.sizes(batch))
        targets = Places(on_object, count)
        anchors, alike = ((), ()) if self.blending.composite else self._compare(batch, targets)
        self.parts = [targets, Places(alike, self.likeness.extra(count) if alike else 0)]
        self.anchors = Places(anchors, count if anchors else 0)

    def _compare(
        self, batch: StyleBatch, targets: Places
    ) -> tuple[tuple[Tensor, ...], tuple[Tensor, ...]]:
        """Background boxes unlike the object, and those like it; each by size."""
        mask, sides = batch.masks[0, 0], self.sizes(batch)
        boxes = [every_box(*mask.shape, side, self.device) for side in sides]
        limit = self.likeness.background_coverage
        background, _ = divide(boxes, [mean_within(mask, b) < limit for b in boxes])
        if not background:
            log.warning("The object leaves no room for background patches: there are no anchors")
            return (), ()
        pool = Places(background, self.pool).draw(self.random)
        crops = [
            self.viewer.crops(batch.content, places) for places in (targets.draw(self.random), pool)
        ]
        if self.deviations.bare_likeness:
            crops = map(self.encoder.bare, crops)
        on_object, elsewhere = map(self.viewer.embed, crops)
        distances = 1 - elsewhere @ on_object.T
        boxes = [of_one_size for _, of_one_size in pool]
        counts = [len(of_one_size) for of_one_size in boxes]
        anchors, _ = divide(boxes, self.likeness.anchors(distances).split(counts))
        alike, _ = divide(boxes, self.likeness.look_alikes(distances).split(counts))
        return anchors, alike

    def views(self, output: Tensor, batch: StyleBatch) -> Tensor:
        return self.viewer.compose(output, output, self.parts)

    def losses(self, output: Tensor, features: Features, batch: StyleBatch) -> dict[str, Tensor]:
        whole, patches = features.embeddings[:1], features.embeddings[1:]
        patch_losses = directional_loss(patches, self.content_embedding, self.direction)
        whole_loss = directional_loss(whole, self.content_embedding, self.direction).mean()
        no_global = self.deviations.no_global
        return {
            "global": torch.zeros_like(whole_loss) if no_global else whole_loss,
            "patch": patch_loss(patch_losses, self.tau, reject=self.reject),
            "background": self._background(output, batch),
            **self.shared.losses(output, features.content, batch),
        }

    def _background(self, output: Tensor, batch: StyleBatch) -> Tensor:
        """Sum over this step's anchors of MSE(output crop, content crop)."""
        loss, error = output.new_zeros(()), (output - batch.content).square().mean(1)[0]
        for _, boxes in draw([self.anchors], self.random):
            loss += mean_within(error, boxes).sum()
        return loss
