"""CLIPstyler (Kwon and Ye, CVPR 2022): the whole picture takes the style of a text.

A picture and its random patches move in the joint space as the texts do, from the source text to
the style text (eq. 1 and 2); patches that have arrived are left alone; content features and
neighbouring pixels stay as they were (eq. 3 and 4).

Example: atelier stylize skimage:coffee --method clipstyler --style "stained glass"

Deviations of the published code are those that all methods share: `tv_norms`, `reject_below`,
`early_halving` and `extra_step`, which `mode: reference` sets together.
"""

from __future__ import annotations

from typing import Any

from torch import Tensor

from datamodules.task import StyleBatch
from lightning_modules.losses.directional import directional_loss
from lightning_modules.losses.patch import patch_loss
from lightning_modules.steps.patches import Patches, Places, every_box
from lightning_modules.stylization import Seen, Stylization


class CLIPstyler(Stylization):
    """Text-guided style transfer of the whole picture.

    Losses: `global`, `patch`, `content` and `tv`. Settings beside those of Stylization:

    Args:
        patches: how many patches a step cuts, and how it warps them.
        tau: threshold rejection: patches whose directional loss is at most tau are left alone.
    """

    def __init__(self, patches: Patches = Patches(), tau: float = 0.7, **settings: Any) -> None:
        super().__init__(**settings)
        self.patches = patches
        self.tau = tau

    def prepare(self, batch: StyleBatch) -> None:
        super().prepare(batch)
        self.direction = self.style_direction(batch)
        shape, device = batch.content.shape[2:], batch.content.device
        everywhere = tuple(every_box(*shape, size, device) for size in self.sizes(batch))
        self.places = Places(everywhere, self.patches.count)

    def views(self, output: Tensor, batch: StyleBatch) -> Tensor:
        places = self.places.draw(self.random)
        return self.look(output, output, places, self.patches.distortion)

    def losses(self, output: Tensor, seen: Seen, batch: StyleBatch) -> dict[str, Tensor]:
        whole, patches = seen.views[:1], seen.views[1:]
        moved = directional_loss(patches, self.content_embedding, self.direction)
        return {
            "global": directional_loss(whole, self.content_embedding, self.direction).mean(),
            "patch": patch_loss(moved, self.tau, reject_below=self.reject_below),
            **self.keeping(output, seen, batch),
        }
