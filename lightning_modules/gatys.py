"""Gatys, Ecker and Bethge (CVPR 2016): the style of a picture, by content and Gram losses alone.

The baseline without text: content features are preserved, and Gram matrices of other features
approach those of the style picture (Cyizere 2024, section 2.2.2). The optimised generator is the
picture itself (Pixels) or a network (StyleNet), as in Johnson et al. (2016).

Example: atelier stylize skimage:chelsea --method gatys --style-image skimage:brick

`brush` scales the style picture and with it its strokes: at 1 its shorter side is as long as the
content's. There are no patches. Of the deviations only those of schedule and step count apply:
`deviations.early_halving` and `deviations.extra_step`.
"""

from __future__ import annotations

from dataclasses import replace

from torch import Tensor
from torch.nn import functional as F

from datamodules.support.errors import AtelierError
from datamodules.task import StyleBatch
from lightning_modules.stylization import Features, Stylization

SMALLEST_STYLE = 64  # px; a smaller picture has no texture left in deep features


class Gatys(Stylization):
    """Image-guided style transfer. Losses: `content` and `gram`; settings: those of Stylization."""

    def prepare(self, batch: StyleBatch) -> None:
        super().prepare(replace(batch, style_image=self._scaled(batch)))

    def _scaled(self, batch: StyleBatch) -> Tensor | None:
        """Style picture (1, 3, h, w) scaled by `brush`."""
        if isinstance(self.brush, list):
            raise AtelierError(f"Gatys takes one brush, not {len(self.brush)}; give e.g. --brush 1")
        if batch.style_image is None:
            return None
        side = max(SMALLEST_STYLE, self.sizes(batch)[0])
        scale = side / min(batch.style_image.shape[2:])
        size = [round(length * scale) for length in batch.style_image.shape[2:]]
        scaled = F.interpolate(
            batch.style_image, size, mode="bicubic", antialias=True, align_corners=False
        )
        return scaled.clamp(0, 1)

    def views(self, output: Tensor, batch: StyleBatch) -> Tensor:
        side = self.encoder.image_size
        return output.new_empty(0, 3, side, side)

    def losses(self, output: Tensor, features: Features, batch: StyleBatch) -> dict[str, Tensor]:
        shared = self.shared
        return {"content": shared.content(features.content), "gram": shared.gram(output, batch)}
