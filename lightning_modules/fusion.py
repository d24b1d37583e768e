"""Fusion: several objects, each with its own style or blend of styles, in one optimisation.

None of the papers has this. The patches of a step are divided among the regions; each patch and
each region's global loss follow that region's direction. The global loss of a region is computed on
a picture in which only that region has changed. A blend of styles ("0.7*Van Gogh + 0.3*Hokusai") is
one direction, the weighted sum of the styles' own. Patches lie on their region as Soulstyler's lie
on its object; overlaps of the masks are resolved beforehand
(datamodules/segmentation/operations/regions.py).

Example: atelier stylize skimage:rocket
"Turn the rocket to fire and the background to green crystal" --method fusion
"""

from __future__ import annotations

from typing import Any, ClassVar

import torch
from torch import Tensor

from datamodules.task import MOST_STYLES, StyleBatch
from lightning_modules.losses.directional import directional_loss
from lightning_modules.losses.patch import patch_loss
from lightning_modules.steps.blending import Blending
from lightning_modules.steps.patches import Patches, Places, covered_boxes, shares
from lightning_modules.stylization import Features, Stylization


class Fusion(Stylization):
    """Object-targeted style transfer of up to eight regions at once.

    Losses: `global`, `patch`, `content` and `tv`, the first two averaged over the regions.
    Settings beside those of Stylization:

    Args:
        patches: number (of all regions together) and distortion of the patches per step.
        coverage: share of a patch that must lie on its region, in (0, 1].
        tau: threshold rejection: patches whose directional loss is at most tau are left alone.
        blending: parts of the photo that stay in the picture; here `composite` is on.
    """

    most_regions: ClassVar[int] = MOST_STYLES

    def __init__(
        self,
        *,
        patches: Patches = Patches(),
        coverage: float = 0.8,
        tau: float = 0.7,
        blending: Blending = Blending(composite=True),
        **settings: Any,
    ) -> None:
        super().__init__(blending=blending, **settings)
        self.patches = patches
        self.coverage = coverage
        self.tau = tau

    def prepare(self, batch: StyleBatch) -> None:
        super().prepare(batch)
        masks, sides = batch.masks[0], self.sizes(batch)
        counts = shares(self.patches.count, [1] * len(masks))
        self.parts = [
            Places(tuple(covered_boxes(mask, side, self.coverage) for side in sides), count)
            for mask, count in zip(masks, counts, strict=True)
        ]
        self.directions = self.directions_of(batch)
        repeats = torch.tensor(counts, device=self.device)
        self.patch_directions = self.directions.repeat_interleave(repeats, dim=0)

    def views(self, output: Tensor, batch: StyleBatch) -> Tensor:
        # (K, 3, H, W): in the k-th picture only region k has changed.
        alone = batch.content + batch.masks.transpose(0, 1) * (output - batch.content)
        return self.viewer.compose(alone, output, self.parts)

    def losses(self, output: Tensor, features: Features, batch: StyleBatch) -> dict[str, Tensor]:
        count = len(self.directions)
        wholes, patches = features.embeddings[:count], features.embeddings[count:]
        patch_losses = directional_loss(patches, self.content_embedding, self.patch_directions)
        return {
            "global": directional_loss(wholes, self.content_embedding, self.directions).mean(),
            "patch": patch_loss(patch_losses, self.tau, reject=self.reject),
            **self.shared.losses(output, features.content, batch),
        }
