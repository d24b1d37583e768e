"""Generative Artisan (Yang, Song and Wu, 2022, arXiv 2207.11598): the portrait is spared.

CLIPstyler with special care for people: patches on the portrait are fewer, have a lower weight and
possibly a threshold of their own (eq. 13 to 18), and the global loss is computed on the background
alone (eq. 19 to 22). The mask is 1 on the background, which is stylized in full, and 0 on the
portrait, as in eq. 22.

The embedded painter has one code for the whole picture and spares nothing by itself. With it, use
`--composite`, which leaves the portrait as in the photo, or `--model.generator stylenet`.

Example: atelier stylize skimage:astronaut --method generative_artisan --style
"a watercolor painting" --composite
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from datamodules.support.errors import AtelierError
from datamodules.task import StyleBatch
from lightning_modules.losses.directional import directional_loss
from lightning_modules.losses.patch import patch_loss
from lightning_modules.steps.deviations import Deviations
from lightning_modules.steps.directions import style_directions
from lightning_modules.steps.patches import Patches, Places, divide, every_box, mean_within
from lightning_modules.stylization import Features, Stylization

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ArtisanDeviations(Deviations):
    """Deviations of the published code: the shared ones and one of its own.

    Args:
        misplaced_weights: weights meet patches at random instead of their own: the code lists them
            in another order than the patches.
    """

    misplaced_weights: bool | None = None


class GenerativeArtisan(Stylization):
    """Style transfer that treats portrait and background differently.

    Losses: `global` (of the background), `patch`, `content` and `tv`. A patch belongs to the
    portrait if a strip at its bottom contains any portrait pixel. Settings beside those of
    Stylization:

    Args:
        patches: number and distortion of the patches per step.
        portrait_share: largest share of portrait patches, in [0, 1] (eq. 17).
        alpha_portrait: weight of portrait patches, >= 0 (eq. 16).
        alpha_back: weight of background patches, >= 0 (eq. 16).
        tau_portrait: rejection threshold of portrait patches (eq. 15).
        tau_back: rejection threshold of background patches (eq. 15).
        window: height of the decisive strip, relative to the patch, in (0, 1] (eq. 18).
        deviations: single deviations of the published code, on or off whatever `mode` says.
    """

    def __init__(
        self,
        patches: Patches = Patches(),
        portrait_share: float = 0.2,
        alpha_portrait: float = 0.3,
        alpha_back: float = 1.0,
        tau_portrait: float = 0.7,
        tau_back: float = 0.7,
        window: float = 0.2,
        deviations: ArtisanDeviations = ArtisanDeviations(),
        **settings: Any,
    ) -> None:
        super().__init__(deviations=deviations, **settings)
        if not (
            0 <= portrait_share <= 1 and 0 < window <= 1 and min(alpha_portrait, alpha_back) >= 0
        ):
            raise AtelierError(
                f"portrait_share={portrait_share} must be in [0, 1], window={window} in (0, 1], "
                f"alpha_portrait={alpha_portrait} and alpha_back={alpha_back} 0 or more"
            )
        self.patches = patches
        self.portrait_share = portrait_share
        self.alphas = (alpha_portrait, alpha_back)
        self.taus = (tau_portrait, tau_back)
        self.window = window

    def prepare(self, batch: StyleBatch) -> None:
        super().prepare(batch)
        (self.direction,) = style_directions(self.encoder, batch)
        background = batch.content * batch.masks[:, :1]
        self.background_embedding = self.encoder.embed_images(self.encoder.view(background))
        self.parts = self._parts(batch)
        counts = torch.tensor([part.count for part in self.parts], device=self.device)
        self.alpha, self.tau = (
            torch.tensor(values, device=self.device).repeat_interleave(counts)
            for values in (self.alphas, self.taus)
        )

    def _parts(self, batch: StyleBatch) -> list[Places]:
        """Places of the patches on the portrait, and of those on the background."""
        portrait = (batch.masks[0, 0] < 0.5).float()
        boxes = [every_box(*portrait.shape, size, self.device) for size in self.sizes(batch)]
        on_portrait = [mean_within(portrait, b, self.window) > 0 for b in boxes]
        portrait_boxes, back_boxes = divide(boxes, on_portrait)
        by_chance = sum(map(len, portrait_boxes)) / sum(map(len, boxes))
        count = round(self.patches.count * min(self.portrait_share, by_chance))
        if not back_boxes:
            log.warning("Every patch meets the portrait: all of them count as portrait patches")
            count = self.patches.count
        return [Places(portrait_boxes, count), Places(back_boxes, self.patches.count - count)]

    def views(self, output: Tensor, batch: StyleBatch) -> Tensor:
        background = output * batch.masks[:, :1]
        return self.viewer.compose(background, output, self.parts)

    def losses(self, output: Tensor, features: Features, batch: StyleBatch) -> dict[str, Tensor]:
        whole, patches = features.embeddings[:1], features.embeddings[1:]
        patch_losses = directional_loss(patches, self.content_embedding, self.direction)
        alpha = self.alpha
        if self.deviations.misplaced_weights:
            order = torch.randperm(len(alpha), device=alpha.device, generator=self.random)
            alpha = alpha[order]
        return {
            "global": directional_loss(whole, self.background_embedding, self.direction).mean(),
            "patch": patch_loss(patch_losses, self.tau, alpha, self.reject),
            **self.shared.losses(output, features.content, batch),
        }
