"""Masks that this process has found before: a sweep asks for one object once a style and a seed."""

from __future__ import annotations

import hashlib

from torch import Tensor

from datamodules.segmentation.base import Segmenter

MOST = 32  # masks that are remembered, the latest ones

_known: dict[tuple[str, str, str], tuple[Tensor, float | None]] = {}


def segmented(
    segmenter: Segmenter, settings: str, picture: Tensor, phrase: str
) -> tuple[Tensor, float | None]:
    """The mask (H, W) of a phrase in a picture (3, H, W), and the segmenter's confidence in it.

    settings: what the segmenter is and was made with; "" = not known, and the mask is found anew.
    """
    digest = hashlib.sha256(f"{tuple(picture.shape)}".encode())
    digest.update(picture.numpy())
    key = settings, phrase, digest.hexdigest()
    if settings and key in _known:
        return _known[key]
    found = segmenter.segment(picture, phrase), segmenter.confidence
    if settings:
        _known[key] = found
        for oldest in list(_known)[:-MOST]:
            del _known[oldest]
    return found
