"""Sem-CS (Kamra, Mastan and Gupta, ICIP 2023): salient object and background, each its own text.

Double text: the object follows one text, the background another, each by a global loss on the
masked output (algorithm, lines 7 to 12) and by the patches that lie in it. Single text: one text
for the whole picture, and of the two global losses only the background's, so that the object is
not over-stylized. The mask is 1 on the salient object.

Example: atelier stylize skimage:chelsea --method sem_cs --style fire
--background-style "a frozen lake"

Not switches, but also in the published code: its source text for single text is "Night"
(--data.source_text), and its lambda for the content is 600 for double text. The masks that it ships
are inverted. For double text its two texts are swapped as well, so that the global losses are the
paper's; for a single text the global loss is the object's instead of the background's. Not
reproduced: its patches are weighted by Generative Artisan's rule.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from datamodules.support.errors import AtelierError
from datamodules.task import BACKGROUND, StyleBatch, StyleTarget, alike, styles_by_area
from lightning_modules.losses.directional import directional_loss
from lightning_modules.losses.patch import patch_loss
from lightning_modules.steps.deviations import Deviations
from lightning_modules.steps.patches import (
    Patches,
    Places,
    divide,
    mean_within,
    shares,
)
from lightning_modules.stylization import Features, Stylization


@dataclass(frozen=True)
class SemCSDeviations(Deviations):
    """Deviations of the published code: the shared ones but `early_halving`, and three of its own.

    Args:
        softmax_source: with two texts, a softmax is applied to the content's embeddings, and to
            these only.
        masked_source: the global losses compare with the masked content instead of the whole.
        background_patch_text: all patches follow the background's text.
    """

    early_halving: bool | None = False
    softmax_source: bool | None = None
    masked_source: bool | None = None
    background_patch_text: bool | None = None


class SemCS(Stylization):
    """Style transfer by one text for the salient object and optionally one for the background.

    Losses: `foreground` (0 with a single text), `background`, `patch`, `content` and `tv`. A patch
    follows the text of the region that covers most of it. Settings beside those of Stylization:

    Args:
        patches: number and distortion of the patches per step.
        tau: threshold rejection: patches whose directional loss is at most tau are left alone.
        deviations: single deviations of the published code, on or off whatever `mode` says.
    """

    most_regions: ClassVar[int] = 2

    def __init__(
        self,
        *,
        patches: Patches = Patches(),
        tau: float = 0.7,
        deviations: SemCSDeviations = SemCSDeviations(),
        **settings: Any,
    ) -> None:
        super().__init__(deviations=deviations, **settings)
        self.patches = patches
        self.tau = tau

    def prepare(self, batch: StyleBatch) -> None:
        super().prepare(batch)
        # Row 0: the object's, row 1: the background's; with a single text the same twice.
        directions = self.directions_of(batch)
        self.double = len(directions) == 2
        self.directions = directions[[0, -1]]
        masked = self.deviations.masked_source
        sources = self._masked(batch.content, batch) if masked else batch.content
        embeddings = self.encoder.embed_images(self.viewer.view(sources)).expand(2, -1)
        self.sources, self.source = self._source(embeddings), self._source(self.content_embedding)
        self.parts = self._parts(batch)
        texts = [1, 1] if self.deviations.background_patch_text else [0, 1]
        counts = torch.tensor([part.count for part in self.parts], device=self.device)
        self.patch_directions = self.directions[texts].repeat_interleave(counts, dim=0)

    def _source(self, embeddings: Tensor) -> Tensor:
        softmax = self.double and self.deviations.softmax_source
        return embeddings.softmax(-1) if softmax else embeddings

    @staticmethod
    def _masked(image: Tensor, batch: StyleBatch) -> Tensor:
        """M * image and (1 - M) * image, (2, 3, H, W)."""
        mask = batch.masks[:, :1]
        return torch.cat([mask * image, (1 - mask) * image])

    def _parts(self, batch: StyleBatch) -> list[Places]:
        """Places of the patches on the object and on the background, as often as by chance."""
        mask = batch.masks[0, 0]
        boxes = self.boxes(batch)
        parts = divide(boxes, [mean_within(mask, b) >= 0.5 for b in boxes])
        counts = shares(self.patches.count, [sum(map(len, part)) for part in parts])
        return [Places(part, count) for part, count in zip(parts, counts, strict=True)]

    def views(self, output: Tensor, batch: StyleBatch) -> Tensor:
        return self.viewer.compose(self._masked(output, batch), output, self.parts)

    def losses(self, output: Tensor, features: Features, batch: StyleBatch) -> dict[str, Tensor]:
        wholes, patches = features.embeddings[:2], features.embeddings[2:]
        foreground, background = directional_loss(wholes, self.sources, self.directions)
        patch_losses = directional_loss(patches, self.source, self.patch_directions)
        return {
            "foreground": foreground if self.double else torch.zeros_like(foreground),
            "background": background,
            "patch": patch_loss(patch_losses, self.tau, reject=self.reject),
            **self.shared.losses(output, features.content, batch),
        }

    @classmethod
    def check(cls, targets: Sequence[StyleTarget]) -> None:
        super().check(targets)
        styles = styles_by_area(targets)
        if len(alike(styles)) == 2 and list(styles)[-1].object != BACKGROUND:
            names = ", ".join(area.label for area in styles)
            raise AtelierError(
                f"SemCS takes one object and its background, but two objects are asked for "
                f"({names}); choose --method fusion"
            )
