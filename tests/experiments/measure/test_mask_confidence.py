"""The fit of the confidence, and the table of what is reported."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from datamodules.segmentation.cues.base import Finding
from datamodules.segmentation.operations.confidence import BIAS, WEIGHTS, expected_overlap
from experiments.measure.drawn_regions import PhraseCase
from experiments.measure.mask_confidence import Outcome, fit_weights, summary

NOTHING, ALL = torch.zeros(2, 2), torch.ones(2, 2)


def outcome(iou: float, confidence: float, present: bool = True, refused: bool = False) -> Outcome:
    case = PhraseCase("cat", "fit", "cat", torch.zeros(3, 2, 2), ALL if present else NOTHING)
    return Outcome(case, Finding(np.ones((2, 2), bool), confidence), iou, refused)


def test_the_fit_finds_the_weights_that_made_the_overlaps():
    random = np.random.default_rng(0)
    results = []
    for evidence, warmth in random.normal(0, 3, (300, 2)):
        signs = {"warmth": warmth, "evidence": evidence}
        case = PhraseCase("lake", "fit", "lake", torch.zeros(3, 2, 2), ALL)
        finding = Finding.by_signs(np.ones((2, 2), bool), "water", signs)
        results.append(Outcome(case, finding, finding.confidence, False))
    weights = fit_weights(results, "water")
    assert weights == pytest.approx(WEIGHTS["water"], abs=0.05)


def test_warmth_speaks_against_a_sky_and_evidence_for_it():
    blue = {"warmth": -20.0, "texture": 10.0, "evidence": 0.5}
    assert expected_overlap("sky", blue) > 0.7
    assert expected_overlap("sky", blue | {"warmth": 20.0}) < 0.2
    assert expected_overlap("sky", blue | {"evidence": -2.0}) < expected_overlap("sky", blue)
    assert set(WEIGHTS["sky"]) == {BIAS, *blue}


def test_the_table_counts_warnings_and_refusals_of_wrong_masks_and_of_right_ones():
    results = [
        outcome(0.9, 0.8),
        outcome(0.9, 0.2),  # right, with a needless warning
        outcome(0.1, 0.2),
        outcome(0.1, 0.9),  # wrong without a word
        outcome(0.0, 0.9, present=False, refused=True),
    ]
    assert summary("all", results) == "| all | 0.50 (4) | 2 of 3 | 1 of 2 |"
