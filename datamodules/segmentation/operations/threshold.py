"""Thresholds of probabilities, and masks above them."""

from __future__ import annotations

from torch import Tensor

from datamodules.segmentation.base import ObjectNotFoundError
from datamodules.support.errors import AtelierError

SOFTNESS = 0.1  # distance of a probability from the threshold at which the mask reaches 0 or 1


def check_threshold(threshold: float) -> float:
    """The threshold, if it is a probability in (0, 1); AtelierError otherwise."""
    if not 0 < threshold < 1:
        raise AtelierError(f"The threshold {threshold} is no probability; give one in (0, 1)")
    return threshold


def refuse_below(probability: Tensor, threshold: float, phrase: str, finder: str) -> None:
    """Raise ObjectNotFoundError if no probability, of any shape, exceeds a threshold.

    phrase, finder: the object and the network, as the sentence names them.
    """
    best = float(probability.max()) if probability.numel() else 0.0
    if best <= threshold:
        raise ObjectNotFoundError(
            f'"{phrase}" was not found in the picture by {finder} (at most {best:.2f}, the '
            f"threshold is {threshold}); try another phrase, a lower threshold, or give --mask FILE"
        )


def mask_above(
    probability: Tensor, threshold: float, phrase: str, finder: str, binary: bool = False
) -> Tensor:
    """Mask (H, W) in [0, 1] of what probably belongs to an object.

    It is 0.5 where the probability p (H, W) is the threshold, and rises linearly from 0 to 1 while
    p goes from 0.1 below it to 0.1 above: clamp(0.5 + (p - threshold) / 0.2). A binary mask is 1
    where p exceeds the threshold and 0 elsewhere. Raises ObjectNotFoundError, with `phrase` and
    `finder`, if no probability exceeds the threshold.
    """
    refuse_below(probability, threshold, phrase, finder)
    if binary:
        return (probability > threshold).float()
    # For thresholds near 0 or 1 the slope is steeper, so that the mask still spans [0, 1].
    softness = min(SOFTNESS, threshold, 1 - threshold)
    return (0.5 + (probability - threshold) / (2 * softness)).clamp(0, 1)
