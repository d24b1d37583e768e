"""Enlargement: what the low passes remove and what they leave."""

import math

import pytest
import torch
from torch.nn import functional as F

from lightning_modules.generators.enlarging import (
    GENTLE,
    NONE,
    THOROUGH,
    enlarge,
    without_checkerboard,
)

INSIDE = slice(16, -16)  # away from the edges, which are repeated


def wave(period, length=96):
    return torch.cos(2 * math.pi * torch.arange(length) / period)


@pytest.mark.parametrize(
    ("taps", "gain"),
    [
        (GENTLE, lambda s: 1 - s**4),
        (THOROUGH, lambda s: (1 - s) ** 3 * (1 + 3 * s + 6 * s**2)),
    ],
    ids=["gentle", "thorough"],
)
@pytest.mark.parametrize("period", [2, 3, 4, 8, 16])
def test_the_low_passes_have_their_gains(taps, gain, period):
    signal = wave(period)
    filtered = F.conv1d(signal.view(1, 1, -1), torch.tensor([[taps]]) / sum(taps), padding="same")
    expected = gain(math.sin(math.pi / period) ** 2) * signal
    torch.testing.assert_close(filtered[0, 0, INSIDE], expected[INSIDE], atol=1e-5, rtol=0)


@pytest.mark.parametrize("taps", [GENTLE, THOROUGH])
def test_an_enlarged_slow_wave_has_no_copy_near_two_pixels(taps):
    x = wave(16, 48).expand(1, 2, 48, 48)

    def power_of_the_copy(enlarged):
        """Period 32 px after the enlargement, copied to 1/2 - 1/32 cycles per px."""
        spectrum = torch.fft.rfft(enlarged[0, 1, 48, INSIDE])
        return spectrum[30].abs().square() / spectrum[2].abs().square()

    assert power_of_the_copy(enlarge(x, NONE)) > 5e-3
    assert power_of_the_copy(enlarge(x, taps)) < 5e-5


@pytest.mark.parametrize("taps", [NONE, GENTLE, THOROUGH])
def test_every_channel_is_enlarged_by_itself_and_flat_ones_stay_flat(taps):
    x = torch.tensor([0.25, -3.0, 1.0]).view(1, 3, 1, 1).expand(2, 3, 5, 7)
    torch.testing.assert_close(enlarge(x, taps), F.interpolate(x, scale_factor=2.0))


@pytest.mark.parametrize("taps", [GENTLE, THOROUGH, (1, 2, 1)])
@pytest.mark.parametrize("size", [(1, 1), (5, 8)])
def test_an_enlargement_is_a_repetition_and_then_its_low_pass(taps, size):
    x = torch.rand(2, 3, *size)
    line = torch.tensor(taps) / sum(taps)
    repeated = F.pad(F.interpolate(x, scale_factor=2.0), [len(taps) // 2] * 4, mode="replicate")
    expected = F.conv2d(repeated, torch.outer(line, line).expand(3, 1, -1, -1), groups=3)
    torch.testing.assert_close(enlarge(x, taps), expected, atol=2e-6, rtol=1e-5)


def test_a_checkerboard_is_removed_and_stripes_stay():
    stripes = wave(2, 24).expand(1, 2, 24, 24)
    slow = wave(12, 24).expand(1, 2, 24, 24)
    checkerboard = stripes * stripes.mT
    result = without_checkerboard(stripes + slow + checkerboard)
    inside = (..., slice(4, -4), slice(4, -4))
    torch.testing.assert_close(result[inside], (stripes + slow)[inside], atol=1e-4, rtol=0)
