"""Boxes."""

from __future__ import annotations

import pytest
import torch

from datamodules.segmentation.box import BoxSegmenter
from datamodules.support.errors import AtelierError


def test_a_box_covers_its_shares_of_the_picture(caplog):
    mask = BoxSegmenter(0.25, 0.5, 0.75, 1.0).segment(torch.rand(3, 40, 80), "cat")
    expected = torch.zeros(40, 80)
    expected[20:, 20:60] = 1
    assert torch.equal(mask, expected)
    assert not caplog.text


def test_a_refined_box_follows_the_outline_of_its_object():
    content = torch.full((3, 90, 120), 0.1) + 0.02 * torch.rand(3, 90, 120)
    y, x = torch.meshgrid(torch.arange(90), torch.arange(120), indexing="ij")
    disc = (y - 45) ** 2 + (x - 60) ** 2 < 25**2
    content[0, disc] = 0.9
    mask = BoxSegmenter(0.2, 0.1, 0.8, 0.9, refine=True).segment(content, "disc")
    assert mask.shape == (90, 120)
    assert ((mask > 0.5) == disc).float().mean() > 0.99


def test_the_smallest_box_covers_a_pixel():
    for refine in (False, True):
        mask = BoxSegmenter(0.5, 0.5, 0.5001, 0.5001, refine).segment(torch.rand(3, 40, 40), "")
        assert mask.sum() > 0


@pytest.mark.parametrize(
    "box",
    [(0.5, 0.1, 0.5, 0.9), (0.6, 0.1, 0.5, 0.9), (0.1, 0.1, 50, 0.9), (-0.1, 0, 1, 1)],
)
def test_impossible_boxes_are_refused(box):
    with pytest.raises(AtelierError, match="is no box; give shares"):
        BoxSegmenter(*box)
    with pytest.raises(AtelierError, match="is no box"):
        BoxSegmenter(0, float("nan"), 1, 1)
