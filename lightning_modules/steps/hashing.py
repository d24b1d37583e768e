"""Random numbers as a function of keys, on any device: for samples that have their own numbers.

A generator's numbers depend on what was drawn before them. Those of a hash depend on the keys
alone, so that a sample gets the same ones in any batch, on any process, after any break.
"""

from __future__ import annotations

import torch
from torch import Tensor

WORD = 0xFFFFFFFF
# Multipliers and shifts of the 32-bit mixer "lowbias32" (Wellons 2018, hash-prospector).
FIRST, SECOND = 0x7FEB352D, 0x846CA68B


def mixed(values: Tensor) -> Tensor:
    """Well-mixed 32-bit words from int64 words in [0, 2**32), one to one."""
    values = values ^ (values >> 16)
    values = (values * FIRST) & WORD
    values = values ^ (values >> 15)
    values = (values * SECOND) & WORD
    return values ^ (values >> 16)


def uniforms(seed: int, keys: Tensor, count: int) -> Tensor:
    """Numbers (N, count) in [0, 1), uniform and independent, float32.

    seed: any number. keys: int64 (N,), 0 or more; equal keys give equal rows.
    """
    low, high = mixed(keys & WORD), (keys >> 32) & WORD
    rows = mixed(mixed(low ^ (seed & WORD)) ^ high ^ (seed >> 32 & WORD))
    places = mixed(torch.arange(count, device=keys.device) + 1)
    words = mixed(mixed(rows[:, None] ^ places) ^ rows[:, None])
    return (words >> 8).float() / 2**24
