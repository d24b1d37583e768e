"""Total variation: neighbouring pixels stay alike, which keeps noise out."""

from __future__ import annotations

from torch import Tensor


def total_variation(image: Tensor) -> Tensor:
    """Sum of squared differences of neighbours, right and down (CLIPstyler, eq. 4).

    image: (N, C, H, W) in [0, 1]. Returns a scalar >= 0 that grows with the number of pixels.
    """
    right = image[..., :, 1:] - image[..., :, :-1]
    down = image[..., 1:, :] - image[..., :-1, :]
    return right.square().sum() + down.square().sum()
