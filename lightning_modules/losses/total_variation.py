"""Total variation: a penalty on differences of neighbouring pixels, against noise."""

from __future__ import annotations

from torch import Tensor


def total_variation(image: Tensor) -> Tensor:
    """Sum of squared differences between neighbours, right and down (CLIPstyler, eq. 4).

    image: (N, C, H, W) in [0, 1]. Returns a scalar >= 0 that grows with the number of pixels.
    """
    right = image[..., :, 1:] - image[..., :, :-1]
    down = image[..., 1:, :] - image[..., :-1, :]
    return right.square().sum() + down.square().sum()


def total_variation_norms(image: Tensor) -> Tensor:
    """Sum of the four L2 norms of the differences right, down and along both diagonals.

    The published codes of all four methods compute it in place of `total_variation`.
    image: (N, C, H, W) in [0, 1]. Returns a scalar >= 0.
    """
    return sum(variation_norms(image))


def variation_norms(image: Tensor) -> list[Tensor]:
    """The four norms whose sum is `total_variation_norms`."""
    differences = (
        image[..., :, 1:] - image[..., :, :-1],
        image[..., 1:, :] - image[..., :-1, :],
        image[..., 1:, 1:] - image[..., :-1, :-1],
        image[..., 1:, :-1] - image[..., :-1, 1:],
    )
    return [difference.norm() for difference in differences]
