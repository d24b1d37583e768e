"""Contract of metrics: their values."""

from typing import ClassVar

import pytest
import torch

from datamodules.support.errors import AtelierError
from evaluation.metrics.base import PictureMetric, Pictures
from evaluation.metrics.scores import Score

WRONG = {
    "a tensor": (torch.zeros(2), r"score of Own returns a Tensor; return a value per \['ink'\]"),
    "another name": ({"inc": torch.zeros(2)}, r"returns \['inc'\]; return a value per \['ink'\]"),
    "one value": ({"ink": torch.zeros(())}, r"gives ink as \(\); give a tensor \(2,\)"),
    "a list": ({"ink": [0, 0]}, r"gives ink as list; give a tensor \(2,\)"),
}


class Own(PictureMetric):
    scores: ClassVar = {"ink": Score(True, 0, float("inf"), "own")}

    def __init__(self, values) -> None:
        super().__init__()
        self.values = values

    def score(self, pictures):
        return self.values


@pytest.mark.parametrize("wrong", WRONG)
def test_scores_of_another_kind_are_one_sentence(wrong):
    values, sentence = WRONG[wrong]
    pictures = torch.zeros(2, 3, 4, 4)
    with pytest.raises(AtelierError, match=sentence):
        Own(values)(Pictures(pictures, pictures, pictures[:, 0]))


def test_a_meaning_survives_json():
    for score in (*Own.scores.values(), Score(None, 0, 1, "", "dB", "note", "title")):
        assert Score.of_record(score.record) == score
