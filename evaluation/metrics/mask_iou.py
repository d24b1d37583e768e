"""Overlap of two masks: intersection over union (Jaccard index)."""

from __future__ import annotations

from torch import Tensor


def mask_iou(predicted: Tensor, truth: Tensor, threshold: float = 0.5) -> float:
    """Intersection over union of two masks, in [0, 1]; 1 = equal, higher is better.

    predicted, truth: numbers in [0, 1] of one shape, (H, W) or any other.
    threshold: a pixel belongs to a mask where its value is greater than this.
    Two empty masks agree: 1.0.
    """
    if predicted.shape != truth.shape:
        raise ValueError(f"masks differ in shape: {predicted.shape} and {truth.shape}")
    a, b = predicted > threshold, truth > threshold
    union = (a | b).sum().item()
    return (a & b).sum().item() / union if union else 1.0
