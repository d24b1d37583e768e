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
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from datamodules.support.errors import AtelierError
from datamodules.task import StyleBatch
from lightning_modules.losses.directional import directional_loss
from lightning_modules.losses.patch import patch_loss
from lightning_modules.steps.deviations import Deviations
from lightning_modules.steps.patches import (
    BoxesBySide,
    Patches,
    mean_within,
    shares,
)
from lightning_modules.stylization import Features, Stylization

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ArtisanDeviations(Deviations):
    """Deviations of the published code: the shared ones and one of its own.

    Args:
        misplaced_weights: the weights stay in the order in which the patches were drawn, while the
            patches are sorted, background first; so many weights meet patches of the other kind.
    """

    misplaced_weights: bool | None = None


class PortraitPlaces:
    """Places of all patches of a step, in drawing order, with a limit for those on the portrait.

    As in the published rule, places are drawn uniformly, and once `most` patches lie on the
    portrait, further ones there are dropped and drawn again.

    Args:
        boxes: all boxes (M, 3) of each patch size.
        on_portrait: (M,) bool of each patch size. A size all of whose boxes meet the portrait has
            no limit.
        count: patches per step. most: limit of those on the portrait.

    Attributes:
        kinds: (N,) bool of the latest draw: whether a patch lies on the portrait.
    """

    def __init__(
        self, boxes: Sequence[Tensor], on_portrait: Sequence[Tensor], count: int, most: int
    ) -> None:
        pairs = [*zip(boxes, on_portrait, strict=True)]
        self.boxes = [torch.cat([b[portrait], b[~portrait]]) for b, portrait in pairs]
        self.count, self.most = count, most
        self.sides = [int(b[0, 2]) for b in boxes]
        self.shares = shares(count, [1] * len(boxes))
        repeats = torch.tensor(self.shares, device=boxes[0].device)
        sizes = [[int(p.sum()) for p in on_portrait], [len(p) for p in on_portrait]]
        # Number of portrait boxes and of all boxes of each patch's size, (2, N).
        self.portraits, self.all = repeats.new_tensor(sizes).repeat_interleave(repeats, dim=1)

    def draw(self, random: torch.Generator | None = None) -> BoxesBySide:
        """`count` boxes for this step."""
        options = {"device": self.all.device, "dtype": torch.float64, "generator": random}
        chance, place = torch.rand(2, self.count, **options)
        kinds = chance * self.all < self.portraits
        # Up to the limit a patch falls on the portrait as often as by chance, and never afterwards.
        self.kinds = kinds & (kinds.cumsum(0) <= self.most) | (self.portraits == self.all)
        others = self.portraits + place * (self.all - self.portraits)
        indices = torch.where(self.kinds, place * self.portraits, others).long()
        groups = zip(self.sides, self.boxes, indices.split(self.shares), strict=True)
        return [(side, boxes[index]) for side, boxes, index in groups if len(index)]


class GenerativeArtisan(Stylization):
    """Style transfer that treats portrait and background differently.

    Losses: `global` (of the background), `patch`, `content` and `tv`. A patch belongs to the
    portrait if a strip at its bottom contains any portrait pixel. Settings beside those of
    Stylization:

    Args:
        patches: number and distortion of the patches per step.
        portrait_share: largest share of portrait patches, in [0, 1], rounded down (eq. 17).
        alpha_portrait: weight of portrait patches, >= 0 (eq. 16).
        alpha_back: weight of background patches, >= 0 (eq. 16).
        tau_portrait: rejection threshold of portrait patches (eq. 15).
        tau_back: rejection threshold of background patches (eq. 15).
        window: height of the decisive strip, relative to the patch, in (0, 1], rounded down to
            whole rows (eq. 18).
        deviations: single deviations of the published code, on or off whatever `mode` says.
    """

    def __init__(
        self,
        *,
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
        (self.direction,) = self.directions_of(batch)
        background = batch.content * batch.masks[:, :1]
        self.background_embedding = self.encoder.embed_images(self.viewer.view(background))
        self.places = self._places(batch)

    def _places(self, batch: StyleBatch) -> PortraitPlaces:
        portrait = (batch.masks[0, 0] < 0.5).float()
        boxes = self.boxes(batch)
        on_portrait = [mean_within(portrait, b, self.window) > 0 for b in boxes]
        if all(bool(kinds.all()) for kinds in on_portrait):
            log.warning("Every patch meets the portrait: all of them count as portrait patches")
        count = self.patches.count
        return PortraitPlaces(boxes, on_portrait, count, most=int(self.portrait_share * count))

    def views(self, output: Tensor, batch: StyleBatch) -> Tensor:
        background = output * batch.masks[:, :1]
        return self.viewer.compose(background, output, [self.places])

    def losses(self, output: Tensor, features: Features, batch: StyleBatch) -> dict[str, Tensor]:
        whole, patches = features.embeddings[:1], features.embeddings[1:]
        patch_losses = directional_loss(patches, self.content_embedding, self.direction)
        return {
            "global": directional_loss(whole, self.background_embedding, self.direction).mean(),
            "patch": self.patch_loss(patch_losses, self.places.kinds),
            **self.shared.losses(output, features.content, batch),
        }

    def patch_loss(self, losses: Tensor, kinds: Tensor) -> Tensor:
        """Patch loss (eq. 13 to 16) of directional losses (N,), in drawing order.

        kinds: (N,) bool, whether a patch lies on the portrait.
        """
        alpha, tau = (torch.where(kinds, *values) for values in (self.alphas, self.taus))
        if self.deviations.misplaced_weights:
            order = kinds.long().argsort(stable=True)
            losses, tau = losses[order], tau[order]
        return patch_loss(losses, tau, alpha, self.reject)
