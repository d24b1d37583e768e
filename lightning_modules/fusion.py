"""Fusion: several objects, each with its own style or blend of styles, in one optimisation.

What none of the papers has: the patches of a step are shared out among the regions, each patch and
each region's global loss follows that region's direction. The global loss of a region looks at the
picture in which that region alone has changed. A blend of styles ("0.7*Van Gogh + 0.3*Hokusai") is
one direction, the weighted sum of the styles' own. Patches lie on their region as Soulstyler's lie
on its object; overlaps of the masks are resolved before
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
from lightning_modules.steps.patches import Patches, Places, covered_boxes, draw, shares
from lightning_modules.stylization import Seen, Stylization


class Fusion(Stylization):
    """Object-targeted style transfer of up to eight regions at once.

    Losses: `global`, `patch`, `content` and `tv`, the first two averaged over the regions.
    Settings beside those of Stylization:

    Args:
        patches: how many patches a step cuts in all, and how it warps them.
        coverage: share of a patch that must lie on its region, in (0, 1].
        tau: threshold rejection: patches whose directional loss is at most tau are left alone.
        composite: blend output and content by the masks, so that what no region names is the photo.
    """

    most_regions: ClassVar[int] = MOST_STYLES

    def __init__(
        self,
        patches: Patches = Patches(),
        coverage: float = 0.8,
        tau: float = 0.7,
        composite: bool = True,
        **settings: Any,
    ) -> None:
        super().__init__(composite=composite, **settings)
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
        self.directions = torch.stack([self.style_direction(batch, k) for k in range(len(masks))])
        repeats = torch.tensor(counts, device=self.device)
        self.patch_directions = self.directions.repeat_interleave(repeats, dim=0)

    def views(self, output: Tensor, batch: StyleBatch) -> Tensor:
        # (K, 3, H, W): in the k-th picture region k alone has changed.
        alone = batch.content + batch.masks.transpose(0, 1) * (output - batch.content)
        places = draw(self.parts, self.random)
        return self.look(alone, output, places, self.patches.distortion)

    def losses(self, output: Tensor, seen: Seen, batch: StyleBatch) -> dict[str, Tensor]:
        count = len(self.directions)
        whole, patches = seen.views[:count], seen.views[count:]
        moved = directional_loss(patches, self.content_embedding, self.patch_directions)
        return {
            "global": directional_loss(whole, self.content_embedding, self.directions).mean(),
            "patch": patch_loss(moved, self.tau, reject_below=self.reject_below),
            **self.keeping(output, seen, batch),
        }
