"""Generative Artisan (Yang, Song and Wu, 2022, arXiv 2207.11598): spare the portrait.

CLIPstyler with an eye for people: patches on the portrait are fewer, count less and may have their
own threshold (eq. 13 to 18), and the global loss sees the background alone (eq. 19 to 22). The mask
is 1 on the background, which is stylized in full, and 0 on the portrait, as in eq. 22.

The embedded painter has one code for all it paints and spares nothing by itself: with it,
`--composite` leaves the portrait the photo's, or `--model.generator stylenet` is used.

Example: atelier stylize skimage:astronaut --method generative_artisan --style
"a watercolor painting" --composite

Deviations of the published code, beside those that all methods share: `misplaced_weights`.
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
from lightning_modules.steps.patches import Patches, Places, divide, draw, every_box, mean_within
from lightning_modules.stylization import Seen, Stylization

log = logging.getLogger(__name__)


class GenerativeArtisan(Stylization):
    """Style transfer that treats portrait and background apart.

    Losses: `global` (of the background), `patch`, `content` and `tv`. A patch is of the portrait if
    a strip at its bottom has any portrait pixel. Settings beside those of Stylization:

    Args:
        patches: how many patches a step cuts, and how it warps them.
        portrait_share: at most this share of the patches is of the portrait, in [0, 1] (eq. 17).
        alpha_portrait: weight of portrait patches (eq. 16).
        alpha_back: weight of background patches (eq. 16).
        tau_portrait: rejection threshold of portrait patches (eq. 15).
        tau_back: rejection threshold of background patches (eq. 15).
        window: height of the strip that decides, relative to the patch, in (0, 1] (eq. 18).
        misplaced_weights: the weights meet patches at random instead of their own (by default: as
            `mode` says; the published code listed them in another order than the patches).
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
        misplaced_weights: bool | None = None,
        **settings: Any,
    ) -> None:
        super().__init__(**settings)
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
        self.misplaced_weights = self.by_mode(misplaced_weights)

    def prepare(self, batch: StyleBatch) -> None:
        super().prepare(batch)
        self.direction = self.style_direction(batch)
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
        seen, rest = divide(boxes, [mean_within(portrait, b, self.window) > 0 for b in boxes])
        by_chance = sum(map(len, seen)) / sum(map(len, boxes))
        count = round(self.patches.count * min(self.portrait_share, by_chance))
        if not rest:
            log.warning("Every patch meets the portrait: all of them count as portrait patches")
            count = self.patches.count
        return [Places(seen, count), Places(rest, self.patches.count - count)]

    def views(self, output: Tensor, batch: StyleBatch) -> Tensor:
        background, places = output * batch.masks[:, :1], draw(self.parts, self.random)
        return self.look(background, output, places, self.patches.distortion)

    def losses(self, output: Tensor, seen: Seen, batch: StyleBatch) -> dict[str, Tensor]:
        whole, patches = seen.views[:1], seen.views[1:]
        moved = directional_loss(patches, self.content_embedding, self.direction)
        alpha = self.alpha
        if self.misplaced_weights:
            order = torch.randperm(len(alpha), device=alpha.device, generator=self.random)
            alpha = alpha[order]
        return {
            "global": directional_loss(whole, self.background_embedding, self.direction).mean(),
            "patch": patch_loss(moved, self.tau, alpha, self.reject_below),
            **self.keeping(output, seen, batch),
        }
