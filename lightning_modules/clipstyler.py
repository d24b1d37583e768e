"""CLIPstyler (Kwon and Ye, CVPR 2022): the whole picture takes the style of a text.

In the joint space, the picture and its random patches move in the direction from the source text
to the style text (eq. 1 and 2). Patches that have arrived are left alone. Content features and the
differences of neighbouring pixels are preserved (eq. 3 and 4).

Example: atelier stylize skimage:coffee --method clipstyler --style "stained glass"
"""

from __future__ import annotations

from typing import Any

from torch import Tensor

from datamodules.task import StyleBatch
from lightning_modules.losses.directional import directional_loss
from lightning_modules.losses.patch import patch_loss
from lightning_modules.steps.patches import Patches, Places
from lightning_modules.stylization import Features, Stylization


class CLIPstyler(Stylization):
    """Text-guided style transfer of the whole picture.

    Losses: `global`, `patch`, `content` and `tv`. Settings beside those of Stylization:

    Args:
        patches: number and distortion of the patches per step.
        tau: threshold rejection: patches whose directional loss is at most tau are left alone.
    """

    def __init__(self, *, patches: Patches = Patches(), tau: float = 0.7, **settings: Any) -> None:
        super().__init__(**settings)
        self.patches = patches
        self.tau = tau

    def prepare(self, batch: StyleBatch) -> None:
        super().prepare(batch)
        (self.direction,) = self.directions_of(batch)
        self.parts = [Places(tuple(self.boxes(batch)), self.patches.count)]

    def views(self, output: Tensor, batch: StyleBatch) -> Tensor:
        return self.viewer.compose(output, output, self.parts)

    def losses(self, output: Tensor, features: Features, batch: StyleBatch) -> dict[str, Tensor]:
        whole, patches = features.embeddings[:1], features.embeddings[1:]
        patch_losses = directional_loss(patches, self.content_embedding, self.direction)
        return {
            "global": directional_loss(whole, self.content_embedding, self.direction).mean(),
            "patch": patch_loss(patch_losses, self.tau, reject=self.reject),
            **self.shared.losses(output, features.content, batch),
        }
