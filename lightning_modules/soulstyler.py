"""Soulstyler (Chen et al., 2023, arXiv 2311.13562): only the named object takes the style.

CLIPstyler's losses, with patches cut from the object alone: a crop is a target patch if the mask
covers at least `coverage` of it (the paper: 0.8). Crops of the background that look unlike the
object are held to the photo; those that look like it are taken for the segmenter's misses and
styled as well. All places are known before the first step: coverage from a summed-area table of the
mask, likeness from the embeddings of a pool of content crops.

Example: atelier stylize skimage:chelsea "Turn the cat to 0.5*fire + 0.5*ice" --method soulstyler

Deviations of the published code, beside those that all methods share: `no_global`. Ours:
- `composite` (on): output and content are blended by the soft mask, so that the background is
  exactly the photo; the paper's background loss only pulls it there. Then nothing can change in
  the background, and neither background nor look-alike crops are drawn.
- `brush` may name several sizes, which paints strokes of several scales.
"""

from __future__ import annotations

import logging
from typing import Any

import torch
from torch import Tensor

from datamodules.support.errors import AtelierError
from datamodules.task import StyleBatch
from lightning_modules.losses.directional import directional_loss
from lightning_modules.losses.patch import patch_loss
from lightning_modules.steps.patches import (
    Patches,
    Places,
    covered_boxes,
    divide,
    draw,
    every_box,
    mean_within,
)
from lightning_modules.stylization import Seen, Stylization

log = logging.getLogger(__name__)

BACKGROUND_COVERAGE = 0.1  # a crop of the background has less of the mask than this
FAR, FAR_SHARE = 0.12, 0.8  # cosine distance, from more than this share of target crops
NEAR, NEAR_SHARE = 0.06, 0.2
EXTRA_SHARE = 0.1  # look-alike patches a step, relative to the target patches


class Soulstyler(Stylization):
    """Object-targeted style transfer by patches that lie on the object.

    Losses: `global`, `patch`, `background`, `content` and `tv`. Settings beside those of
    Stylization:

    Args:
        patches: how many patches of the object a step cuts, and how it warps them.
        coverage: share of a patch that must lie on the object, in (0, 1]. Where no patch fits the
            object the patches are shrunk, and said.
        tau: threshold rejection: patches whose directional loss is at most tau are left alone.
        composite: blend output and content by the mask, so that the background is the photo.
        pool: content crops that are compared once to find background and look-alike crops.
        no_global: the global loss is 0 (by default: as `mode` says).
    """

    def __init__(
        self,
        patches: Patches = Patches(),
        coverage: float = 0.8,
        tau: float = 0.7,
        composite: bool = True,
        pool: int = 256,
        no_global: bool | None = None,
        **settings: Any,
    ) -> None:
        super().__init__(composite=composite, **settings)
        if not 0 < coverage <= 1 or pool < 1:
            raise AtelierError(f"coverage={coverage} must be in (0, 1], and pool={pool} 1 or more")
        self.patches = patches
        self.coverage = coverage
        self.tau = tau
        self.pool = pool
        self.no_global = self.by_mode(no_global)

    def prepare(self, batch: StyleBatch) -> None:
        super().prepare(batch)
        mask, count = batch.masks[0, 0], self.patches.count
        self.direction = self.style_direction(batch)
        on_object = tuple(covered_boxes(mask, size, self.coverage) for size in self.sizes(batch))
        targets = Places(on_object, count)
        far, near = ((), ()) if self.composite else self._compare(batch, targets)
        self.styled = [targets, Places(near, round(EXTRA_SHARE * count) if near else 0)]
        self.held = Places(far, count if far else 0)

    def _compare(
        self, batch: StyleBatch, targets: Places
    ) -> tuple[tuple[Tensor, ...], tuple[Tensor, ...]]:
        """Background boxes whose content looks unlike the object's, and those that look like it."""
        mask, sides = batch.masks[0, 0], self.sizes(batch)
        boxes = [every_box(*mask.shape, side, self.device) for side in sides]
        behind, _ = divide(boxes, [mean_within(mask, b) < BACKGROUND_COVERAGE for b in boxes])
        if not behind:
            log.warning("The object leaves no room for background patches: none is held")
            return (), ()
        pool = Places(behind, self.pool).draw(self.random)
        ours, theirs = (
            self.embed(self.warped(batch.content, places, distortion=0))
            for places in (targets.draw(self.random), pool)
        )
        distance = 1 - theirs @ ours.T
        far = (distance > FAR).float().mean(1) > FAR_SHARE
        near = (distance < NEAR).float().mean(1) > NEAR_SHARE
        boxes = [of_a_size for _, of_a_size in pool]
        counts = [len(of_a_size) for of_a_size in boxes]
        return divide(boxes, far.split(counts))[0], divide(boxes, near.split(counts))[0]

    def views(self, output: Tensor, batch: StyleBatch) -> Tensor:
        places = draw(self.styled, self.random)
        return self.look(output, output, places, self.patches.distortion)

    def losses(self, output: Tensor, seen: Seen, batch: StyleBatch) -> dict[str, Tensor]:
        whole, patches = seen.views[:1], seen.views[1:]
        moved = directional_loss(patches, self.content_embedding, self.direction)
        towards = directional_loss(whole, self.content_embedding, self.direction).mean()
        return {
            "global": torch.zeros_like(towards) if self.no_global else towards,
            "patch": patch_loss(moved, self.tau, reject_below=self.reject_below),
            "background": self._background(output, batch),
            **self.keeping(output, seen, batch),
        }

    def _background(self, output: Tensor, batch: StyleBatch) -> Tensor:
        """Sum over this step's background crops of MSE(output crop, content crop)."""
        loss, error = output.new_zeros(()), (output - batch.content).square().mean(1)[0]
        for _, boxes in draw([self.held], self.random):
            loss += mean_within(error, boxes).sum()
        return loss
