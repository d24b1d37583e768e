"""The vote on masks."""

from __future__ import annotations

import numpy as np
import pytest

from datamodules.segmentation.operations.voting import (
    along_outline,
    contrast,
    correlation,
    elect,
    overlaps,
    smallness,
)


def test_criteria_of_masks_by_hand():
    masks = np.zeros((2, 4, 4), bool)
    masks[0, :2] = masks[1, :3] = True
    values = np.arange(16.0).reshape(4, 4)
    assert overlaps(masks) == pytest.approx(np.array([[1, 2 / 3], [2 / 3, 1]]))
    assert contrast(values, masks) == pytest.approx([3.5 - 11.5, 5.5 - 13.5])
    expected = [np.corrcoef(values.ravel(), mask.ravel())[0, 1] for mask in masks]
    assert correlation(values, masks) == pytest.approx(expected)
    steps = np.repeat(np.array([0.0, 1.0, 1.0, 0.0]), 4).reshape(4, 4)
    assert along_outline(steps, masks) == pytest.approx([1, 0.5])
    assert smallness(masks) == pytest.approx([0.5**-0.5, 0.75**-0.5])


def test_the_best_masks_are_elected():
    masks = np.zeros((3, 4, 4), bool)
    masks[0, :2] = masks[1, :2] = masks[2, 2:] = True
    first, last = np.array([1.0, 1.0, 0.0]), np.array([0.0, 0.0, 1.0])
    assert np.array_equal(elect(masks, [(1.0, first)], temper=0.1), masks[0])
    assert np.array_equal(elect(masks, [(1.0, last)], temper=0.1), masks[2])
    assert np.array_equal(elect(masks, [(1.0, first), (2.0, last)], temper=0.1), masks[2])
