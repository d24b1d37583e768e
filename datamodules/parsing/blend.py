"""Blends of styles in words: "0.7*Van Gogh + 0.3*Hokusai"."""

from __future__ import annotations

import re

from datamodules.support.errors import AtelierError
from datamodules.task import Blend, StyleTarget, check_weights

_WEIGHTED = re.compile(r"\s*(-?(?:\d+\.?\d*|\.\d+))\s*[*\u00d7]\s*(\S.*?)\s*")


def targets_of(object: str, style: str) -> list[StyleTarget]:
    """The targets of one object: one for a plain style, one per part of a blend.

    The parts of a blend are joined by "+"; each is a number, "*" and a style. Any other text is one
    style. Raises AtelierError for a part without a weight, a negative weight, or weights that are
    all 0.
    """
    parts = style.split("+")
    matches = [_WEIGHTED.fullmatch(part) for part in parts]
    if not any(matches):
        return [StyleTarget(object, style)]
    if not all(matches):
        bare = next(part.strip() for part, match in zip(parts, matches, strict=True) if not match)
        raise AtelierError(
            f"In the blend {style!r} the style {bare!r} has no weight; write it as "
            "0.7*Van Gogh + 0.3*Hokusai"
        )
    weights = [float(match[1]) for match in matches]
    check_weights(weights, f"The weights in the blend {style!r}")
    return [
        StyleTarget(object, match[2], weight)
        for match, weight in zip(matches, weights, strict=True)
        if weight > 0
    ]


def in_words(blend: Blend) -> str:
    """The blend as text, which `targets_of` reads as the same styles."""
    if len(blend) == 1:
        return blend[0][1]
    return " + ".join(f"{weight:g}*{style}" for weight, style in blend)
