"""Phrases with regions drawn by hand, and how pictures are composed for them."""

from __future__ import annotations

import numpy as np
import pytest

from experiments.measure.drawn_regions import DrawnPictures

DRAWN = DrawnPictures("phrases.yaml")


def test_sixty_phrases_are_there_or_not_and_no_picture_is_in_both_halves():
    cases = {split: list(DRAWN.phrases(split)) for split in ("fit", "aside")}
    for halves in cases.values():
        present = [case for case in halves if not case.absent]
        assert len(present) == 20 and len(halves) == 30
        assert all(0.002 < float(case.truth.mean()) < 0.97 for case in present)
        assert all(case.truth.shape == case.content.shape[1:] for case in halves)
    assert not {c.picture for c in cases["fit"]} & {c.picture for c in cases["aside"]}


def test_a_crop_and_pictures_side_by_side_cut_and_shift_their_regions():
    cup = DRAWN.region("coffee", "cup")
    assert np.array_equal(DRAWN.region("cup-cut", "coffee.cup"), cup[:, 258:])
    both = DRAWN.region("woman-and-cup", "coffee.cup")
    assert not both[:, :512].any()
    assert both.mean() == pytest.approx(cup.mean() * (1 - 512 / both.shape[1]), rel=0.02)
