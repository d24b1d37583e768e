"""Background preservation: how little changes outside the mask."""

from __future__ import annotations

from torch import Tensor

PSNR_OF_EQUALS = 100.0  # dB; stands for the infinity of two equal pictures


def background_preservation(output: Tensor, content: Tensor, mask: Tensor) -> dict[str, float]:
    """Differences of output and content where `mask` is exactly 0.

    output, content: (3, H, W) in [0, 1]; mask: (H, W) in [0, 1], 0 = background.
    Returns max and mean absolute error in [0, 1] (lower is better), PSNR in dB, at most
    PSNR_OF_EQUALS, and SSIM in [-1, 1] (Wang et al. 2004; both higher is better) averaged over the
    background. Empty if the mask leaves no background.
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
    # The map of similarities is that of the whole pictures, so that windows stay windows.
    _, similarity = structural_similarity_index_measure(
        output[None], content[None], data_range=1.0, return_full_image=True
    )
    return {
        "background_max_error": float(error.max()),
        "background_mean_error": float(error.mean()),
        "background_psnr": min(float(psnr), PSNR_OF_EQUALS),
        "background_ssim": float(similarity[0][:, outside].mean()),
    }
