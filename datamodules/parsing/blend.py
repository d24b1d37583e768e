"""Blends of styles in words: "0.7*Van Gogh + 0.3*Hokusai"."""

from __future__ import annotations

import re

from datamodules.support.errors import AtelierError
from datamodules.task import Blend, StyleTarget, check_weights

_WEIGHTED = re.compile(r"\s*(-?(?:\d+\.?\d*|\.\d+))\s*[*\u00d7]\s*(\S.*?)\s*")


def targets_of(object: str, style: str) -> list[StyleTarget]:
    """The targets of one object: one for a plain style, one a part for a blend.

    A blend is parts joined by "+", each a number, "*" and a style; any other text is one style.
    Raises AtelierError for a part without a weight, a negative weight, or weights that are all 0.
    """
    parts = style.split("+")
    found = [_WEIGHTED.fullmatch(part) for part in parts]
    if not any(found):
        return [StyleTarget(object, style)]
    if not all(found):
        bare = next(part.strip() for part, match in zip(parts, found, strict=True) if not match)
        raise AtelierError(
            f"In the blend {style!r} the style {bare!r} has no weight; write it as "
            "0.7*Van Gogh + 0.3*Hokusai"
        )
    weights = [float(match[1]) for match in found]
    check_weights(weights, f"The weights in the blend {style!r}")
    return [
        StyleTarget(object, match[2], weight)
        for match, weight in zip(found, weights, strict=True)
        if weight > 0
    ]


def in_words(blend: Blend) -> str:
    """The text that `targets_of` reads as these styles."""
    if len(blend) == 1:
        return blend[0][1]
    return " + ".join(f"{weight:g}*{style}" for weight, style in blend)
