"""Several masks on one picture: overlaps resolved, and the area that no mask covers."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import torch
from torch import Tensor

log = logging.getLogger(__name__)

NOTABLE = 0.005  # share of the picture from which an overlap is logged


def separate(masks: Tensor, names: Sequence[str], groups: Sequence[int]) -> Tensor:
    """Reduce masks (K, H, W) in [0, 1] so that they sum to at most 1: smaller ones lie in front.

    A boat on the sea, an eye in a face: the smaller region is the more specific one. A warning
    tells which region gets an overlap of more than 0.5% of the picture, unless the two are of one
    group: then they have one style.
    """
    separated = masks.clone()
    by_area = sorted(range(len(masks)), key=lambda k: float(masks[k].sum()))
    free = torch.ones_like(masks[0])
    for rank, k in enumerate(by_area):
        for front in by_area[:rank]:
            overlap = float(((masks[k] > 0.5) & (masks[front] > 0.5)).float().mean())
            if overlap > NOTABLE and groups[front] != groups[k]:
                log.warning(
                    "%s and %s overlap on %.1f%% of the picture, which goes to %s, the smaller one",
                    *(names[front], names[k], 100 * overlap, names[front]),
                )
        separated[k] = torch.minimum(masks[k], free)
        free = free - separated[k]
    return separated


def rest(masks: Tensor) -> Tensor:
    """Area that masks (K, H, W) in [0, 1] leave uncovered: (H, W) in [0, 1]."""
    return (1 - masks.sum(0)).clamp(0, 1)
