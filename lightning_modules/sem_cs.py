"""Sem-CS (Kamra, Mastan and Gupta, ICIP 2023): salient object and background, each its own text.

Double text: the object follows one text, the background another, each by a global loss on the
masked output (algorithm, lines 7 to 12) and by the patches that lie in it. Single text: one text
for the whole picture, and of the two global losses only the background's, so that the object is
not over-stylized. The mask is 1 on the salient object.

Example: atelier stylize skimage:chelsea --method sem_cs --style fire
--background-style "a frozen lake"

Deviations of the published code, beside those that all methods share: `softmax_source`,
`masked_source`, `background_patch_text`. Its source text for single text is "Night"
(--data.source_text), its lambda for the content 600 for double text. It ships inverted masks with
the two texts swapped, which cancel in the global losses. Not reproduced: its patches are weighted
by Generative Artisan's rule.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor

from datamodules.support.errors import AtelierError
from datamodules.task import BACKGROUND, StyleBatch, StyleTarget
from lightning_modules.losses.directional import directional_loss
from lightning_modules.losses.patch import patch_loss
from lightning_modules.steps.patches import (
    Patches,
    Places,
    divide,
    draw,
    every_box,
    mean_within,
    shares,
)
from lightning_modules.stylization import Seen, Stylization


class SemCS(Stylization):
    """Style transfer by one text for the salient object and, if given, one for the background.

    Losses: `foreground` (0 with a single text), `background`, `patch`, `content` and `tv`. A patch
    follows the text of the region that covers most of it. Settings beside those of Stylization:

    Args:
        patches: how many patches a step cuts, and how it warps them.
        tau: threshold rejection: patches whose directional loss is at most tau are left alone.
        softmax_source: a softmax is applied to the content's embeddings, and to them only (by
            default: as `mode` says).
        masked_source: the global losses compare with the masked content instead of the whole (as
            `mode` says).
        background_patch_text: all patches follow the background's text (as `mode` says).
    """

    most_regions: ClassVar[int] = 2

    def __init__(
        self,
        patches: Patches = Patches(),
        tau: float = 0.7,
        softmax_source: bool | None = None,
        masked_source: bool | None = None,
        background_patch_text: bool | None = None,
        **settings: Any,
    ) -> None:
        super().__init__(**settings)
        self.patches = patches
        self.tau = tau
        self.softmax_source = self.by_mode(softmax_source)
        self.masked_source = self.by_mode(masked_source)
        self.background_patch_text = self.by_mode(background_patch_text)

    def prepare(self, batch: StyleBatch) -> None:
        super().prepare(batch)
        # Row 0: the object's, row 1: the background's; the same text twice where there is one.
        self.double = len(batch.styles) == 2
        self.directions = torch.stack(
            [self.style_direction(batch, region) for region in (0, int(self.double))]
        )
        sources = self._masked(batch.content, batch) if self.masked_source else batch.content
        embeddings = self.encoder.embed_images(self.encoder.view(sources)).expand(2, -1)
        self.sources, self.source = self._source(embeddings), self._source(self.content_embedding)
        self.parts = self._parts(batch)
        texts = [1, 1] if self.background_patch_text else [0, 1]
        counts = torch.tensor([part.count for part in self.parts], device=self.device)
        self.patch_directions = self.directions[texts].repeat_interleave(counts, dim=0)

    def _source(self, embeddings: Tensor) -> Tensor:
        return embeddings.softmax(-1) if self.softmax_source else embeddings

    @staticmethod
    def _masked(image: Tensor, batch: StyleBatch) -> Tensor:
        """M * image and (1 - M) * image, (2, 3, H, W)."""
        mask = batch.masks[:, :1]
        return torch.cat([mask * image, (1 - mask) * image])

    def _parts(self, batch: StyleBatch) -> list[Places]:
        """Places of the patches on the object and on the background, as often as by chance."""
        mask = batch.masks[0, 0]
        boxes = [every_box(*mask.shape, size, self.device) for size in self.sizes(batch)]
        parts = divide(boxes, [mean_within(mask, b) >= 0.5 for b in boxes])
        counts = shares(self.patches.count, [sum(map(len, part)) for part in parts])
        return [Places(part, count) for part, count in zip(parts, counts, strict=True)]

    def views(self, output: Tensor, batch: StyleBatch) -> Tensor:
        masked, places = self._masked(output, batch), draw(self.parts, self.random)
        return self.look(masked, output, places, self.patches.distortion)

    def losses(self, output: Tensor, seen: Seen, batch: StyleBatch) -> dict[str, Tensor]:
        whole, patches = seen.views[:2], seen.views[2:]
        foreground, background = directional_loss(whole, self.sources, self.directions)
        moved = directional_loss(patches, self.source, self.patch_directions)
        return {
            "foreground": foreground if self.double else torch.zeros_like(foreground),
            "background": background,
            "patch": patch_loss(moved, self.tau, reject_below=self.reject_below),
            **self.keeping(output, seen, batch),
        }

    @classmethod
    def check(cls, targets: Sequence[StyleTarget]) -> None:
        super().check(targets)
        names = {target.object for target in targets}
        if len(names) == 2 and BACKGROUND not in names:
            raise AtelierError(
                f"SemCS takes one object and its background, but two objects are asked for "
                f"({', '.join(sorted(names))}); choose --method fusion"
            )
