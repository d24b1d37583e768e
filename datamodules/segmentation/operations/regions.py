"""Several masks on one picture: who keeps the pixels that two of them claim, and what is left."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import torch
from torch import Tensor

log = logging.getLogger(__name__)

WORTH_SAYING = 0.005  # share of the picture


def separate(masks: Tensor, names: Sequence[str]) -> Tensor:
    """Masks (K, H, W) in [0, 1] that sum to at most 1: the smaller region lies in front.

    A boat before the sea, an eye in a face: what is smaller was meant more exactly. Where two
    masks overlap on more than 0.5% of the picture, the log says who keeps it.
    """
    separated = masks.clone()
    by_area = sorted(range(len(masks)), key=lambda k: float(masks[k].sum()))
    free = torch.ones_like(masks[0])
    for place, k in enumerate(by_area):
        for front in by_area[:place]:
            overlap = float(((masks[k] > 0.5) & (masks[front] > 0.5)).float().mean())
            if overlap > WORTH_SAYING:
                log.warning(
                    "%s and %s overlap on %.1f%% of the picture: it goes to %s, the smaller",
                    *(names[front], names[k], 100 * overlap, names[front]),
                )
        separated[k] = torch.minimum(masks[k], free)
        free = free - separated[k]
    return separated


def rest(masks: Tensor) -> Tensor:
    """What the masks (K, H, W) leave of the picture: (H, W) in [0, 1]."""
    return (1 - masks.sum(0)).clamp(0, 1)
