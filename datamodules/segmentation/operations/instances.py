"""Instances of an object in a picture, and the choice among them that a phrase makes.

Masks are (N, h, w) in [0, 1] at any size; a pixel above 0.5 belongs to its instance.
"""

from __future__ import annotations

import logging

import torch
from torch import Tensor

from datamodules.segmentation.base import ObjectNotFoundError
from datamodules.segmentation.operations.choice import Choice
from datamodules.segmentation.operations.phrases import coordinates

log = logging.getLogger(__name__)

SAME = 0.5  # overlap (IoU) from which two masks show the same instance
CLOSE = 0.05  # difference in rank below which a choice is unsure
REMEDY = "choose by another place, by order or by size, or give --mask FILE"


def choose(masks: Tensor, scores: Tensor, choice: Choice) -> list[int]:
    """Indices of the instances that a phrase means, at least one of them.

    Among masks (N, h, w) that show the same instance, the one with the highest score (N,) counts.
    Raises ObjectNotFoundError if too few instances suit, or more than the choice needs equally
    well; a warning tells if others suit almost as well.
    """
    indices = distinct(masks, scores)
    if not indices:
        raise ObjectNotFoundError(
            f'"{choice.subject}" covers no pixel; try another phrase, or give --mask FILE'
        )
    if choice.everything:
        return list(range(len(masks)))
    solid = masks[indices] > 0.5
    ranks = _ranks(solid, choice)
    order = [k for k in ranks.argsort(descending=True, stable=True).tolist() if ranks[k].isfinite()]
    first = choice.nth - 1
    last = first + choice.count if choice.count else len(order)
    if not order or last > len(order):
        raise ObjectNotFoundError(
            f'The picture shows "{choice.subject}" {len(indices)} times, and {len(order)} times '
            f"where it is looked for, too few for the choice; {REMEDY}"
        )
    for cut in {first, last} - {0, len(order)}:
        _check_gap(float(ranks[order[cut - 1]] - ranks[order[cut]]), choice.subject)
    return [indices[k] for k in order[first:last]]


def distinct(masks: Tensor, scores: Tensor) -> list[int]:
    """Indices of masks (N, h, w) of different instances, by falling scores (N,); no empty ones."""
    flat = (masks > 0.5).flatten(1).float()
    common = flat @ flat.T
    areas = common.diagonal()
    overlap = common / (areas[:, None] + areas - common).clamp(min=1)
    indices: list[int] = []
    for k in scores.argsort(descending=True, stable=True).tolist():
        if areas[k] and all(overlap[k, other] < SAME for other in indices):
            indices.append(k)
    return indices


def _check_gap(gap: float, subject: str) -> None:
    """Refuse instances that suit equally well; warn of those that suit almost equally well."""
    if gap <= 0:
        raise ObjectNotFoundError(f'Two of "{subject}" suit the phrase equally well; {REMEDY}')
    if gap < CLOSE:
        log.warning(
            'Two of "%s" suit the phrase almost equally well; look at the mask and, if it is '
            "wrong, %s",
            *(subject, REMEDY),
        )


def _ranks(solid: Tensor, choice: Choice) -> Tensor:
    """Ranks (N,) of instances, bool (N, h, w), by which the highest come first; -inf: unsuitable.

    Areas relative to the largest, or places in [-1, 1] from the opposite side to the named one.
    """
    positions = coordinates(solid.shape[1:])
    areas = solid.flatten(1).float().sum(1)
    centres = (positions[None] * solid[:, None]).flatten(2).sum(2) / areas[:, None]
    if choice.size:
        ranks = choice.size * areas / areas.max()
    elif any(choice.towards):
        ranks = centres @ _side(choice)
    else:
        ranks = _middle_ranks(centres)
    return ranks.where(_suitable(solid, centres, choice), -torch.inf)


def _middle_ranks(centres: Tensor) -> Tensor:
    """Ranks (N,) by nearness to the middle of the row, or column, of centres (N, 2)."""
    along = centres[:, int(centres.std(0, correction=0).argmax())]
    return -(along.argsort().argsort() - (len(along) - 1) / 2).abs()


def _suitable(solid: Tensor, centres: Tensor, choice: Choice) -> Tensor:
    """Instances, bool (N,), that can be meant: for a choice by size or of several, those at its
    place; a single instance, if it reaches there; all others compete.
    """
    everywhere = torch.ones(len(solid), dtype=torch.bool)
    if choice.towards is None:
        return everywhere
    if choice.size or not choice.count:
        at_side = centres @ _side(choice) > 0
        return at_side if any(choice.towards) else centres.abs().amax(1) < 0.5
    if len(solid) > 1 or not any(choice.towards):
        return everywhere
    half = torch.tensordot(_side(choice), coordinates(solid.shape[1:]), 1) > 0
    return (solid & half).flatten(1).any(1)


def _side(choice: Choice) -> Tensor:
    """Direction (x, y) of the choice's place, each -1, 0 or 1."""
    return torch.tensor(choice.towards).sign().float()
