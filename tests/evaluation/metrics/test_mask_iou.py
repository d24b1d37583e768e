"""The overlap of masks."""

from __future__ import annotations

import pytest
import torch

from evaluation.metrics.mask_iou import mask_iou


def test_mask_iou_by_hand():
    left = torch.tensor([[1.0, 1.0, 0.0], [1.0, 1.0, 0.0]])
    right = torch.tensor([[0.0, 0.6, 0.9], [0.0, 0.6, 0.4]])
    assert mask_iou(left, right) == pytest.approx(2 / 5)  # 2 shared of 4 + 3
    assert mask_iou(left, right, threshold=0.3) == pytest.approx(2 / 6)
    assert mask_iou(left, left) == 1.0
    assert mask_iou(left, 1 - left) == 0.0
    assert mask_iou(torch.zeros(2, 2), torch.zeros(2, 2)) == 1.0
    with pytest.raises(ValueError, match="shape"):
        mask_iou(left, left[:1])
