"""Background preservation: how little changes outside the mask."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F

SSIM_WINDOW = 11  # px, of Wang et al. 2004
PSNR_OF_EQUALS = 100.0  # dB; stands for the infinity of two equal pictures


def background_preservation(output: Tensor, content: Tensor, mask: Tensor) -> dict[str, float]:
    """Differences of output and content where `mask` is exactly 0.

    output, content: (3, H, W) in [0, 1]; mask: (H, W) in [0, 1], 0 = background.
    Returns max and mean absolute error in [0, 1] (lower is better), PSNR in dB, at most
    PSNR_OF_EQUALS, and SSIM in [-1, 1] (Wang et al. 2004; both higher is better), over the
    windows that lie wholly in the background and left out where none does. Empty if the mask leaves
    no background.
    """
    from torchmetrics.functional.image import (
        peak_signal_noise_ratio,
        structural_similarity_index_measure,
    )

    outside = mask == 0
    if not outside.any():
        return {}
    error = (output - content).abs()[:, outside]
    psnr = peak_signal_noise_ratio(output[:, outside], content[:, outside], data_range=1.0)
    scores = {
        "background_max_error": float(error.max()),
        "background_mean_error": float(error.mean()),
        "background_psnr": min(float(psnr), PSNR_OF_EQUALS),
    }
    _, similarity = structural_similarity_index_measure(
        output[None], content[None], data_range=1.0, kernel_size=SSIM_WINDOW, return_full_image=True
    )
    touched = F.max_pool2d(mask[None], SSIM_WINDOW, stride=1, padding=SSIM_WINDOW // 2)[0]
    if (touched == 0).any():
        scores["background_ssim"] = float(similarity[0][:, touched == 0].mean())
    return scores
