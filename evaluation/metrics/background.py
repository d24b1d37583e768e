"""Background preservation: how little changes outside the mask, and how much of all that does."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor
from torch.nn import functional as F

from evaluation.metrics.base import UNDEFINED, PictureMetric, Pictures, Score

BAND = 8  # px around the mask that count neither as object nor as background
SSIM_WINDOW = 11  # px, of Wang et al. 2004
PSNR_OF_EQUALS = 100.0  # dB; stands for the infinity of two equal pictures


def outside(mask: Tensor, band: int = BAND) -> Tensor:
    """Where the background is, (N, H, W) bool: further than `band` px from all that the mask marks.

    mask: (N, H, W) in [0, 1]; every value above 0 marks. Distances are along rows and columns.
    """
    size = 2 * band + 1
    return F.max_pool2d(mask[:, None], size, stride=1, padding=band)[:, 0] == 0


def background_preservation(
    output: Tensor, content: Tensor, mask: Tensor, band: int = BAND
) -> dict[str, Tensor]:
    """Differences of output and content further than `band` px from the mask.

    output, content: (N, 3, H, W) in [0, 1]; mask: (N, H, W) in [0, 1], 0 = background.
    Returns (N,) each: largest and mean absolute error, PSNR, SSIM over the windows that lie wholly
    in the background, and leakage, the share of all the change that lies there. UNDEFINED where
    there is no background (SSIM: no window).
    """
    free = outside(mask, band)
    weights = free[:, None].expand_as(output)
    error = (output - content).abs()
    there = torch.where(weights, error, 0)
    count = weights.sum((1, 2, 3))
    squared = there.square().sum((1, 2, 3)) / count
    change = error.sum((1, 2, 3))
    scores: ClassVar = {
        "background_max_error": there.amax((1, 2, 3)),
        "background_mean_error": there.sum((1, 2, 3)) / count,
        "background_psnr": (-10 * squared.log10()).clamp(max=PSNR_OF_EQUALS),
        "background_ssim": _ssim(output, content, free),
        "leakage": torch.where(change > 0, there.sum((1, 2, 3)) / change.clamp(min=1e-12), 0),
    }
    return {name: torch.where(count > 0, value, UNDEFINED) for name, value in scores.items()}


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
        band: width in pixels of the boundary that is left out.
    """

    scores: ClassVar = {
        "background_max_error": Score(False, 0, 1, "max |O - I| outside the mask"),
        "background_mean_error": Score(False, 0, 1, "mean |O - I| outside the mask"),
        "background_psnr": Score(
            True, 0, PSNR_OF_EQUALS, "torchmetrics", "dB", f"{PSNR_OF_EQUALS:g} = equal"
        ),
        "background_ssim": Score(True, -1, 1, "Wang et al. 2004, by torchmetrics"),
        "leakage": Score(False, 0, 1, "sum |O - I| outside the mask / sum |O - I|"),
    }

    def __init__(self, band: int = BAND) -> None:
        super().__init__()
        self.band = band

    def score(self, pictures: Pictures) -> dict[str, Tensor]:
        return background_preservation(pictures.output, pictures.content, pictures.mask, self.band)
