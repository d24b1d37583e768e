"""Phrases to suggest where an object is not found."""

import pytest
import torch

from datamodules.images import load_picture, to_tensor
from datamodules.segmentation.base import UNSURE, ObjectNotFoundError, Segmenter
from datamodules.segmentation.bridge import BridgeSegmenter
from datamodules.segmentation.operations.alternatives import alternatives, segment_or_suggest


@pytest.mark.parametrize(
    ("phrase", "others"),
    [
        ("astronaut's suit", ["astronaut", "suit"]),
        ("the left wing of the old plane", ["left wing", "old plane", "wing"]),
        ("the children\u2019s toys", ["children", "toys"]),
        ("the woman who holds a dog", ["woman"]),
        ("red car", ["car"]),
        ("the cat", []),
    ],
)
def test_a_phrase_has_nearer_and_wider_neighbours(phrase, others):
    assert alternatives(phrase) == others


class Sure(Segmenter):
    """Finds what it knows, with a confidence."""

    def __init__(self, **confidences):
        self.confidences = confidences

    def segment(self, content, phrase):
        if phrase not in self.confidences:
            raise ObjectNotFoundError(f"There is no {phrase}")
        self.confidence = self.confidences[phrase]
        return torch.full(content.shape[1:], 1.0)


def test_only_what_is_surely_found_is_suggested():
    photo = torch.rand(3, 8, 8)
    segmenter = Sure(wing=UNSURE, plane=UNSURE - 0.1)
    with pytest.raises(ObjectNotFoundError, match=r"'wing' is found \(coverage 100%\)"):
        segment_or_suggest(segmenter, photo, "wing of the plane")
    with pytest.raises(ObjectNotFoundError, match=r"^There is no wing of the plane$"):
        segment_or_suggest(Sure(plane=UNSURE - 0.1), photo, "wing of the plane")


@pytest.mark.slow  # two masks by the embedded networks
def test_a_part_that_is_not_found_is_answered_with_its_owner():
    photo = to_tensor(load_picture("skimage:astronaut"))
    sentence = r"Found no \"astronaut's suit\" .*; 'astronaut' is found \(coverage \d\d%\): use it"
    with pytest.raises(ObjectNotFoundError, match=sentence):
        segment_or_suggest(BridgeSegmenter(), photo, "astronaut's suit")
