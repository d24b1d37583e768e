"""Background preservation: the error outside the mask, and its share in all change."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor
from torch.nn import functional as F

from evaluation.metrics import scores as declared
from evaluation.metrics.base import UNDEFINED, PictureMetric, Pictures

BAND = 8  # px around the mask that count neither as object nor as background
SSIM_WINDOW = 11  # px, of Wang et al. 2004


def outside(mask: Tensor, band: int = BAND) -> Tensor:
    """Background of masks (N, H, W) in [0, 1] as booleans (N, H, W): pixels more than `band` px
    along rows and columns from every pixel with a value above 0.
    """
    size = 2 * band + 1
    return F.max_pool2d(mask[:, None], size, stride=1, padding=band)[:, 0] == 0


def background_preservation(
    output: Tensor, content: Tensor, mask: Tensor, band: int = BAND
) -> dict[str, Tensor]:
    """Differences of output and content more than `band` px outside the mask.

    output, content: (N, 3, H, W) in [0, 1]; mask: (N, H, W) in [0, 1], 0 = background.
    Returns (N,) each: largest and mean absolute error, PSNR, SSIM over the windows that lie wholly
    in the background, and leakage, the share of all change that lies there. UNDEFINED where there
    is no background (SSIM: no window).
    """
    free = outside(mask, band)
    weights = free[:, None].expand_as(output)
    error = (output - content).abs()
    there = torch.where(weights, error, 0)
    count = weights.sum((1, 2, 3))
    squared = there.square().sum((1, 2, 3)) / count
    change = error.sum((1, 2, 3))
    values = {
        "background_max_error": there.amax((1, 2, 3)),
        "background_mean_error": there.sum((1, 2, 3)) / count,
        "background_psnr": (-10 * squared.log10()).clamp(max=declared.PSNR_OF_EQUALS),
        "background_ssim": _ssim(output, content, free),
        "leakage": torch.where(change > 0, there.sum((1, 2, 3)) / change.clamp(min=1e-12), 0),
    }
    return {name: torch.where(count > 0, value, UNDEFINED) for name, value in values.items()}


def _ssim(output: Tensor, content: Tensor, free: Tensor) -> Tensor:
    """Mean SSIM (N,) over the windows wholly inside `free` (N, H, W)."""
    from torchmetrics.functional.image import structural_similarity_index_measure

    _, similarity = structural_similarity_index_measure(
        output, content, data_range=1.0, kernel_size=SSIM_WINDOW, return_full_image=True
    )
    windows = outside((~free).to(output), SSIM_WINDOW // 2)
    return (similarity.mean(1) * windows).sum((1, 2)) / windows.sum((1, 2))


class BackgroundPreservation(PictureMetric):
    """Errors outside the mask.

    Args:
        band: width in pixels of the boundary that counts neither as object nor as background.
    """

    scores: ClassVar = declared.BACKGROUND
    reads_objects = True

    def __init__(self, band: int = BAND) -> None:
        super().__init__()
        self.band = band

    def score(self, pictures: Pictures) -> dict[str, Tensor]:
        return background_preservation(
            pictures.output, pictures.content, pictures.objects, self.band
        )
