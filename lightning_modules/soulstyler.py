"""Soulstyler (Chen et al., 2023, arXiv 2311.13562): only the named object takes the style.

CLIPstyler's losses, with patches cut from the object alone: a crop is a target patch if the mask
covers at least `coverage` of it (the paper: 0.8). Valid places are read off a summed-area table of
the mask once, so that each step draws without a trial.

Deviations from the paper, each a setting:
- `composite` (on): output and content are blended by the soft mask, so that the background is
  exactly the photo; the paper's background loss only pulls it there.
- `crop_sizes` may name several sizes, which paints strokes of several scales.
- The paper's losses on background crops (held to the photo) and on look-alike crops (what the
  segmenter missed) are not here: under `composite` both would act on the photo itself.
- The global loss compares the whole output, as CLIPstyler's does; weight 0 gives the published
  code's behaviour.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from datamodules.errors import AtelierError
from datamodules.task import StyleBatch
from lightning_modules.losses.content import content_loss
from lightning_modules.losses.directional import directional_loss
from lightning_modules.losses.patch import patch_loss
from lightning_modules.losses.total_variation import total_variation
from lightning_modules.patches import boxes_covering, cut, draw, random_corners
from lightning_modules.stylization import Stylization
from lightning_modules.templates import text_direction

log = logging.getLogger(__name__)

SMALLEST_CROP = 8  # px; below this a patch is a blur that no encoder can judge


class Soulstyler(Stylization):
    """Object-targeted style transfer by patches that lie on the object.

    Losses: `global`, `patch`, `content` and `tv`. Settings beside those of Stylization:

    Args:
        crop_sizes: sides of the patches in pixels of the working size; each size gets an equal
            share of the patches. Sizes that fit nowhere on the object are shrunk, and said.
        patches: patches a step.
        coverage: share of a patch that must lie on the object, in (0, 1].
        distortion: strength of the random perspective, in [0, 1].
        tau: threshold rejection: patches whose directional loss is at most tau are left alone.
        composite: blend output and content by the mask, so that the background is the photo.
    """

    def __init__(
        self,
        crop_sizes: Sequence[int] = (128,),
        patches: int = 64,
        coverage: float = 0.8,
        distortion: float = 0.5,
        tau: float = 0.7,
        composite: bool = True,
        **settings: Any,
    ) -> None:
        super().__init__(composite=composite, **settings)
        if patches < 1 or not crop_sizes or min(crop_sizes) < 1 or not 0 < coverage <= 1:
            raise AtelierError(
                f"Patches cannot be drawn with patches={patches}, crop_sizes={list(crop_sizes)}, "
                f"coverage={coverage}; give at least one patch and size, and a coverage in (0, 1]"
            )
        self.crop_sizes = crop_sizes
        self.patches = patches
        self.coverage = coverage
        self.distortion = distortion
        self.tau = tau

    def prepare(self, batch: StyleBatch) -> None:
        mask = batch.masks[0, 0]
        self.places = [target_boxes(mask, size, self.coverage) for size in self.crop_sizes]
        self.direction = text_direction(self.encoder, batch.styles[0], batch.source_text)
        self.content_embedding = self.encoder.embed_images(self.encoder.view(batch.content))
        self.content_maps = self.content_features(batch.content)

    def losses(self, output: Tensor, batch: StyleBatch) -> dict[str, Tensor]:
        boxes = self._draw_boxes()
        corners = random_corners(len(boxes), self.distortion, output.device)
        patches = cut(output, boxes, corners, self.encoder.image_size)
        # One encoder call for the global view and all patches.
        embeddings = self.encoder.embed_images(torch.cat([self.encoder.view(output), patches]))
        directional = directional_loss(embeddings, self.content_embedding, self.direction)
        return {
            "global": directional[0],
            "patch": patch_loss(directional[1:], self.tau),
            "content": content_loss(self.content_features(output), self.content_maps),
            "tv": total_variation(output),
        }

    def _draw_boxes(self) -> Tensor:
        """Boxes (patches, 3) of this step: an equal share of each size, the rest to the first."""
        each, rest = divmod(self.patches, len(self.places))
        return torch.cat([draw(places, each + (i < rest)) for i, places in enumerate(self.places)])


def target_boxes(mask: Tensor, size: int, at_least: float) -> Tensor:
    """Boxes (M, 3) that `mask` (H, W) covers at least so much, of `size` px or, if none, smaller.

    A small or thin object has no room for the size asked for: it is shrunk by a fifth until a box
    fits, which the log says.
    """
    asked, size = size, min(size, *mask.shape)
    while len(boxes := boxes_covering(mask, size, at_least)) == 0:
        if size <= SMALLEST_CROP:
            raise AtelierError(
                f"The object is too small or thin for any patch: no {size} px square is covered by "
                f"{at_least:.0%}; give a larger --size, a lower --model.coverage or another mask"
            )
        size = max(SMALLEST_CROP, size * 4 // 5)
    if size < asked:
        log.warning("Patches of %d px instead of %d: the object has no room for more", size, asked)
    return boxes
