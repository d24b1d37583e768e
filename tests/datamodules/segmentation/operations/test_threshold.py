"""Masks from probabilities."""

import pytest
import torch

from datamodules.segmentation.base import ObjectNotFoundError
from datamodules.segmentation.operations.threshold import check_threshold, mask_above
from datamodules.support.errors import AtelierError

PROBABILITY = torch.tensor([[0.0, 0.25, 0.3, 0.35], [0.36, 0.4, 0.45, 1.0]])


def test_a_soft_mask_is_one_half_at_the_threshold_and_rises_within_a_tenth():
    mask = mask_above(PROBABILITY, 0.35, "cat", "X")
    expected = torch.tensor([[0, 0, 0.25, 0.5], [0.55, 0.75, 1, 1]])
    torch.testing.assert_close(mask, expected, atol=1e-6, rtol=0)


def test_a_mask_spans_everything_at_extreme_thresholds_too():
    for threshold in (0.02, 0.98):
        mask = mask_above(torch.tensor([[0.0, threshold, 1.0]]), threshold, "cat", "X")
        torch.testing.assert_close(mask, torch.tensor([[0, 0.5, 1]]))


def test_a_binary_mask_is_one_above_the_threshold_alone():
    mask = mask_above(PROBABILITY, 0.35, "cat", "X", binary=True)
    assert mask.tolist() == [[0, 0, 0, 0], [1, 1, 1, 1]]


def test_nothing_above_the_threshold_is_no_object():
    with pytest.raises(ObjectNotFoundError, match=r'"cat" was not found .* by X \(at most 1.00'):
        mask_above(PROBABILITY, 1.0, "cat", "X")


@pytest.mark.parametrize("threshold", [0.0, 1.0, -1.0, float("nan")])
def test_a_threshold_is_a_probability(threshold):
    with pytest.raises(AtelierError, match=r"\(0, 1\)"):
        check_threshold(threshold)
