"""Confidence in a mask: the overlap (IoU) with the object that some signs let expect.

Each kind of object has a few signs of its own and a logistic function of them, fitted to masks
drawn by hand: python -m experiments.measure.mask_confidence --cases DIR (docs/masks.md).
"""

from __future__ import annotations

import math
from collections.abc import Mapping

BIAS = "bias"
LINE = 0.4  # expected overlap below which a mask is reported as unsure

WEIGHTS: dict[str, dict[str, float]] = {
    # word: cosine of the phrase to the nearest class; named: best log odds of an isolated
    # candidate; salient: overlap with the salient region; contrast: of the heat map, inside to
    # outside, in its deviations.
    "thing": {BIAS: -4.07, "word": 3.25, "named": 0.43, "salient": 1.51, "contrast": 0.56},
    # warmth: mean b* of the colours, blue < 0; texture: see `backdrops.texture_in`; evidence: see
    # `Reading`.
    "sky": {BIAS: -0.79, "warmth": -0.104, "texture": -0.008, "evidence": 0.405},
    "water": {BIAS: -1.67, "warmth": -0.038, "evidence": 0.785},
}


def expected_overlap(kind: str, signs: Mapping[str, float]) -> float:
    """Expected IoU, in (0, 1), of a mask of a kind in WEIGHTS with these signs."""
    weights = WEIGHTS[kind]
    total = weights[BIAS] + sum(weights[name] * value for name, value in signs.items())
    return 1 / (1 + math.exp(-total))
