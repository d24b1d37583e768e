"""Blending of the stylized picture with the photo: by mask, by colour and by strength."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from datamodules.support.errors import AtelierError
from datamodules.task import StyleBatch


@dataclass(frozen=True)
class Blending:
    """Parts of the photo that stay in the picture.

    Args:
        composite: blend output and photo by the masks, so that the output is exactly the photo
            where no mask covers it; the batch's strength counts in any case.
        keep_color: take only lightness from the output; the colours (chroma) are the photo's.
        strength: share of the change in the final picture, in [0, 1]; 0 is the photo.
    """

    composite: bool = False
    keep_color: bool = False
    strength: float = 1.0

    def __post_init__(self) -> None:
        if not 0 <= self.strength <= 1:
            raise AtelierError(
                f"The strength is {self.strength:g}; give one from 0 (the photo) to 1"
            )

    def blend(self, stylized: Tensor, batch: StyleBatch) -> Tensor:
        """Output (1, 3, H, W) in [0, 1] that is optimised, from the generator's picture."""
        if self.keep_color:
            # The same change of R, G and B changes luma alone: Cb and Cr are differences from it.
            stylized = (batch.content + _luma(stylized) - _luma(batch.content)).clamp(0, 1)
        share = batch.strength
        if self.composite:
            union = batch.masks.sum(1, keepdim=True).clamp(max=1)
            share = union if share is None else share * union
        if share is None:
            return stylized
        # content + share * change, not a weighted sum: exact where the share is 0.
        return batch.content + share * (stylized - batch.content)

    def final(self, output: Tensor, batch: StyleBatch) -> Tensor:
        """Final picture (1, 3, H, W) in [0, 1]: `strength` of the way from photo to output.

        Applied after the optimisation, which would compensate for it by a stronger style.
        """
        return batch.content + self.strength * (output - batch.content)


def _luma(image: Tensor) -> Tensor:
    """Luma (N, 1, H, W) of pictures (N, 3, H, W), ITU-R BT.601."""
    red, green, blue = image.split(1, dim=1)
    return 0.299 * red + 0.587 * green + 0.114 * blue
