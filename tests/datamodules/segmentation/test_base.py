"""Contract of segmenters: their masks."""

import pytest
import torch

from datamodules.masking import MaskFinder
from datamodules.segmentation.base import Segmenter
from datamodules.support.errors import AtelierError
from datamodules.task import StyleTarget, styles_by_area

WRONG = {
    "nothing": (lambda content: None, "segment of Own returns NoneType; return a mask (4, 6)"),
    "a batch": (lambda content: content[None, 0], "returns a tensor (1, 4, 6)"),
    "truth values": (lambda content: content[0] > 0, "returns torch.bool from"),
    "levels of grey": (lambda content: 255 * content[0], "to 255.0; return float32 in [0, 1]"),
    "no numbers": (lambda content: content[0] * torch.nan, "from nan to nan"),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_a_mask_of_another_kind_is_one_sentence(wrong):
    answer, sentence = WRONG[wrong]

    class Own(Segmenter):
        def segment(self, content, phrase):
            return answer(content)

    areas = styles_by_area([StyleTarget("cat", "fire")])
    with pytest.raises(AtelierError) as caught:
        MaskFinder(torch.ones(3, 4, 6), Own()).find(areas)
    assert sentence in str(caught.value)
