"""Helpers of the tests of real segmenters."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor

VIT = "vit_tiny_patch16_224"  # 22 MB; the architecture of DINO with fewer channels


def bright_half() -> Tensor:
    """Picture (3, 64, 96) whose left half is white and whose right half is black."""
    picture = torch.zeros(3, 64, 96)
    picture[..., :48] = 1
    return picture


@pytest.fixture(scope="session")
def vit_file(tmp_path_factory) -> Path:
    import timm

    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("vit") / "vit.pth"
    torch.save(timm.create_model(VIT, num_classes=0).state_dict(), path)
    return path
