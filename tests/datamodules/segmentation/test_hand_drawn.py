"""The embedded segmenter against masks drawn by hand."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch

from datamodules.images import to_array
from datamodules.segmentation.base import Segmenter, mask_line
from datamodules.segmentation.bridge import BridgeSegmenter
from datamodules.segmentation.cues.classes import confine
from datamodules.segmentation.cues.heads import Heads
from datamodules.segmentation.cues.people import People
from datamodules.segmentation.operations.arrays import fit_array
from datamodules.segmentation.operations.colors import pieces_of_color
from datamodules.segmentation.operations.faces import Face, find_faces
from datamodules.segmentation.operations.saliency import salient
from datamodules.segmentation.remembering import RememberingSegmenter
from datamodules.support.errors import AtelierError
from evaluation.metrics.mask_iou import mask_iou
from experiments.measure.mask_quality import FOLDER, cases, manifest

pytestmark = pytest.mark.xdist_group("masks")  # what one has made of a picture serves the others
CASES = {(case.picture, case.phrase): case for case in cases("tune")}


@pytest.fixture(scope="module")
def segmenter():
    """The embedded segmenter, which reads a picture once for several phrases."""
    return BridgeSegmenter()


@pytest.mark.parametrize(
    ("picture", "phrase", "least"),
    [
        ("chelsea", "cat", 0.9),
        ("coffee", "coffee cup", 0.75),
        ("motorcycle", "red motorcycle", 0.7),
        ("rocket", "rocket", 0.75),
        ("astronaut", "the woman", 0.75),
        ("astronaut", "the woman's face", 0.75),
    ],
)
def test_masks_agree_with_those_drawn_by_hand(segmenter, picture, phrase, least, caplog):
    case, segmenter = CASES[picture, phrase], RememberingSegmenter(segmenter)
    assert mask_iou(segmenter.segment(case.content, phrase), case.truth) >= least
    assert segmenter.line <= segmenter.confidence <= 1 and not caplog.text


def test_a_wrong_mask_has_a_low_confidence_and_a_warning(segmenter, caplog):
    segmenter.segment(CASES["astronaut", "helmet"].content, "helmet")  # it covers the whole suit
    assert segmenter.confidence < segmenter.line and "may not show 'helmet'" in caplog.text


def twice(content: torch.Tensor) -> torch.Tensor:
    """Picture (3, H, W) beside its mirror image, (3, H, 2 W)."""
    return torch.cat([content, content.flip(-1)], 2)


def test_words_of_place_select_one_of_two_objects(segmenter):
    case = CASES["coffee", "coffee cup"]
    for half, side in enumerate(("left", "right")):
        halves = segmenter.segment(twice(case.content), f"coffee cup on the {side}").chunk(2, 1)
        assert halves[half].mean() > 0.1
        assert halves[1 - half].mean() < 0.1 * halves[half].mean()


def test_words_of_colour_select_one_of_two_objects(segmenter):
    red = CASES["coffee", "coffee cup"].content[:, ::2, ::2]
    both = torch.cat([red, red.flip(0, 2)], 2)  # red and blue swapped in the second cup
    for half, color in enumerate(("red", "blue")):
        halves = segmenter.segment(both, f"{color} cup").chunk(2, 1)
        assert halves[half].mean() > 0.08
        assert halves[1 - half].mean() < 0.1 * halves[half].mean()


def test_colours_select_whole_pieces_and_not_pixels():
    picture = np.full((40, 90, 3), 60, np.uint8)
    mask = np.zeros((40, 90), bool)
    for left, tint in ((5, (200, 30, 30)), (35, (30, 60, 200)), (65, (30, 60, 200))):
        picture[5:35, left : left + 20] = tint
        mask[5:35, left : left + 20] = True
    picture[5:12, 35:55] = 250  # a blue bus with a white roof
    blue = pieces_of_color(picture, mask, "the blue bus")
    assert np.array_equal(blue, mask & (np.arange(90) > 30))
    assert np.array_equal(pieces_of_color(picture, mask, "the bus"), mask)
    assert np.array_equal(
        pieces_of_color(picture, mask & (np.arange(90) < 30), "blue"), mask & ~blue
    )


def test_what_lies_near_a_piece_of_the_colour_belongs_to_it():
    picture = np.full((40, 90, 3), 60, np.uint8)
    mask = np.zeros((40, 90), bool)
    picture[5:35, 5:25] = 200, 30, 30
    mask[5:35, 5:25] = mask[5:35, 26:40] = True  # a red motorcycle and its wheel
    assert np.array_equal(pieces_of_color(picture, mask, "red motorcycle"), mask)
    mask[5:35, 60:80] = True
    near = np.arange(90) < 50
    assert np.array_equal(pieces_of_color(picture, mask, "red motorcycle"), mask & near)


def one_of_two(case, half):
    """True mask (H, 2 W) of one half of a picture beside its mirror image."""
    truths = [torch.zeros_like(case.truth), torch.zeros_like(case.truth)]
    truths[half] = case.truth.flip(-1) if half else case.truth
    return torch.cat(truths, 1)


def test_a_side_selects_one_of_several_people(segmenter):
    case = CASES["astronaut", "the woman"]
    for half, side in enumerate(("left", "right")):
        mask = segmenter.segment(twice(case.content), f"the woman on the {side}")
        assert mask_iou(mask, one_of_two(case, half)) >= 0.75


def test_the_colour_of_clothes_selects_one_of_several_people():
    case = CASES["astronaut", "the woman"]
    blue = case.content.clone()
    blue[:, 180:] = blue[:, 180:].flip(0)  # red and blue swapped below the face
    both = torch.cat([case.content, blue.flip(-1)], 2)
    mask = BridgeSegmenter().segment(both, "the woman in the blue suit")
    assert mask_iou(mask, one_of_two(case, 1)) >= 0.6


def part(picture, phrase):
    return Heads().part(picture, salient(picture, (0, 0, *picture.shape[:2])), phrase)


def test_people_without_faces_are_separated_between_their_heads():
    case = CASES["astronaut", "the woman"]
    small = fit_array(to_array(twice(case.content)), 256)
    for half, side in enumerate(("left", "right")):
        mask = torch.from_numpy(part(small, f"the woman on the {side}")).float()
        truth = torch.nn.functional.adaptive_avg_pool2d(one_of_two(case, half)[None], mask.shape)
        assert mask_iou(mask, (truth[0] > 0.5).float()) >= 0.6
    assert part(small, "the woman") is None
    assert part(small[:, :128], "the woman on the left") is None


@pytest.mark.slow  # 25 s: five pictures at every scale of the cascade
def test_faces_are_detected_where_they_are_and_nowhere_else():
    astronaut = to_array(CASES["astronaut", "the woman"].content)
    [(row, column, size)] = find_faces(astronaut, 512)
    assert abs(row - 115) < 15 and abs(column - 225) < 15 and 60 < size < 130
    turn = cv2.getRotationMatrix2D((column, row), 12, 1)
    [(tilted_row, tilted_column, _)] = find_faces(cv2.warpAffine(astronaut, turn, (512, 512)), 512)
    assert abs(tilted_row - row) < 20 and abs(tilted_column - column) < 20
    for name, phrase in (("chelsea", "cat"), ("coffee", "coffee cup"), ("rocket", "rocket")):
        assert find_faces(to_array(CASES[name, phrase].content), 256) == []


def test_a_side_selects_the_outermost_large_face():
    picture = np.zeros((100, 200, 3), np.uint8)
    crowd, inner, outer = Face(50, 5, 8), Face(50, 60, 30), Face(50, 20, 25)
    faces = [crowd, inner, outer]
    select = People().select
    assert select(picture, faces, "the man on the left") == [outer]
    assert select(picture, faces, "the man in the middle") == [inner]
    assert select(picture, faces, "the man on the right") == []
    assert select(picture, faces, "the people") == faces
    assert People(minor=0.1).select(picture, faces, "the man on the left") == [crowd]


def test_a_colour_refers_to_the_clothes_below_the_face():
    picture = np.full((100, 200, 3), 90, np.uint8)
    faces = [Face(30, 50, 20), Face(30, 150, 20)]
    select = People().select
    picture[48:, 30:70], picture[48:, 130:170] = 230, (150, 20, 20)
    assert select(picture, faces, "the man in the white shirt") == faces[:1]
    assert select(picture, faces, "the girl wearing a dark red dress") == faces[1:]
    assert select(picture, faces, "the man with the white dog") == faces


def test_places_that_are_not_allowed_are_coldest():
    heat = confine(torch.tensor([[0.0, 3.0], [1.0, 2.0]]), torch.tensor([[1.0, 0.0], [1.0, 1.0]]))
    assert heat.argmax() == 3
    assert heat[0, 1] == heat.min()


@pytest.mark.parametrize("phrase", ["giraffe", "traffic light"])
def test_phrases_without_an_object_in_the_picture_are_refused(phrase):
    with pytest.raises(AtelierError, match=f'"{phrase}" was not found.*found here: cat;.*--mask'):
        BridgeSegmenter().segment(CASES["chelsea", "cat"].content, phrase)


def test_a_low_confidence_gives_a_warning_with_advice(caplog):
    class Guess(Segmenter):
        def segment(self, content, phrase):
            self.confidence = float(content.mean())
            self.warn(phrase, lambda: ["dog", "sofa"])
            return torch.ones(content.shape[1:])

    Guess().segment(torch.full((3, 8, 8), 0.9), "cat")
    assert not caplog.text
    Guess().segment(torch.full((3, 8, 8), 0.3), "cat")
    assert "The mask may not show 'cat'" in caplog.text
    assert "confidence 0.30); found here: dog, sofa;" in caplog.text
    assert "--mask FILE" in caplog.text


def test_a_line_about_a_mask_gives_coverage_and_confidence():
    mask = torch.tensor([[1.0, 0.6], [0.5, 0.0]])
    assert mask_line(mask, [0.95, None, 0.91], "Finder").endswith(
        "by Finder, covers 50.0% of the picture, confidence 0.91"
    )
    assert mask_line(mask, [None]).endswith("covers 50.0% of the picture")


def test_every_mask_drawn_by_hand_belongs_to_a_picture_and_marks_something():
    drawn = {path.stem for path in FOLDER.glob("*.png")}
    listed = {
        f"{name}_{part}"
        for name, entry in manifest()["pictures"].items()
        for part in entry["masks"]
    }
    assert drawn == listed
    assert all(0.003 < float(case.truth.mean()) < 0.9 for case in CASES.values())
