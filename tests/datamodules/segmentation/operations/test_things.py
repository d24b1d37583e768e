"""Names of the things that a picture shows for sure."""

from __future__ import annotations

import torch

from datamodules.segmentation.operations.things import SURE, likely_things


def test_breeds_count_together_and_the_surest_thing_comes_first():
    probabilities = torch.zeros(1000)
    probabilities[281:286] = SURE / 2  # five kinds of cat
    probabilities[[849, 504]] = torch.tensor([SURE * 2, SURE / 2])  # teapot, coffee mug
    assert likely_things(probabilities) == ["cat", "teapot"]
    assert likely_things(torch.full((1000,), 1e-3)) == []  # 118 breeds of dogs are no dog
