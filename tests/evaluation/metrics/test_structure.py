"""Likeness of structure: regions, bad input."""

import pytest
import torch

from datamodules.support.errors import AtelierError
from evaluation.metrics.background import BAND, outside
from evaluation.metrics.base import Pictures
from evaluation.metrics.boxes import box_around
from evaluation.metrics.scores import MEASURES
from evaluation.metrics.structure import SMALLEST, Structure, structure_within


@pytest.fixture(scope="module")
def pictures(photo):
    torch.manual_seed(0)
    output = (0.7 * photo + 0.3 * torch.rand_like(photo)).clamp(0, 1)
    mask = torch.zeros(1, *photo.shape[2:])
    mask[0, 40:70, 20:50] = 1
    mask[0, 38:40, 20:50] = 0.1  # the feathered edge belongs to the object
    return Pictures(photo, output, mask)


def values_of(scores, part):
    return {name: float(scores[f"{part}_{name}"]) for name in MEASURES}


def with_noise(pictures, where):
    """The same task with noise in the output at some places."""
    noise = torch.rand(pictures.output.shape, generator=torch.Generator().manual_seed(1))
    output = torch.where(where[:, None], noise, pictures.output)
    return Pictures(pictures.content, output, pictures.mask)


def test_a_change_outside_a_region_leaves_its_scores(pictures):
    metric = Structure()
    before = metric(pictures)
    beside = metric(with_noise(pictures, pictures.mask == 0))
    assert values_of(beside, "object") == values_of(before, "object")
    assert values_of(beside, "background") != values_of(before, "background")
    inside = metric(with_noise(pictures, ~outside(pictures.mask)))
    assert values_of(inside, "background") == values_of(before, "background")
    assert values_of(inside, "object") != values_of(before, "object")


def test_less_change_of_a_region_is_more_structure_by_every_measure(pictures):
    metric = Structure()
    little = pictures.content.lerp(pictures.output, 0.3)
    more = metric(Pictures(pictures.content, little, pictures.mask))
    less = metric(pictures)
    for name, score in metric.scores.items():
        assert bool(more[name] > less[name]) == score.higher_is_better, name


def test_a_small_object_is_not_drowned_in_equal_pixels(pictures):
    composite = torch.where(pictures.mask[:, None] > 0, pictures.output, pictures.content)
    of_the_whole = structure_within(composite[0], pictures.content[0], torch.ones(96, 80).bool())
    scores = Structure()(pictures)
    assert scores["object_haarpsi"] < of_the_whole["haarpsi"] - 0.05
    assert scores["object_fsim"] < of_the_whole["fsim"] - 0.01


def test_without_a_background_or_an_object_its_scores_are_undefined(pictures):
    whole = Structure()(Pictures(pictures.content, pictures.output, torch.ones(1, 96, 80)))
    nothing = Structure()(Pictures(pictures.content, pictures.output, torch.zeros(1, 96, 80)))
    for name in MEASURES:
        assert whole[f"background_{name}"].isnan()
        assert nothing[f"object_{name}"].isnan()
        assert torch.equal(whole[f"object_{name}"], nothing[f"background_{name}"])


def test_a_tiny_object_is_measured_with_its_surroundings(pictures):
    mask = torch.zeros(1, 96, 80)
    mask[0, 0, 0] = 1
    scores = Structure()(Pictures(pictures.content, pictures.output, mask))
    assert all(0 <= value < float("inf") for value in values_of(scores, "object").values())


def test_flat_pictures_have_finite_scores():
    grey, white = torch.full((1, 3, 64, 64), 0.5), torch.ones(1, 3, 64, 64)
    for pair in ((grey, grey), (grey, white), (white, grey)):
        scores = values_of(Structure()(Pictures(*pair, torch.ones(1, 64, 64))), "object")
        assert all(0 <= value < float("inf") for value in scores.values())


def test_pictures_too_small_for_the_measures_are_refused():
    tiny = torch.rand(2, 3, SMALLEST - 1, 64)
    with pytest.raises(AtelierError, match="at least 41 x 41 px; this one has 64 x 40"):
        Structure()(Pictures(tiny, tiny, torch.ones(2, SMALLEST - 1, 64)))
    least = torch.rand(1, 3, SMALLEST, SMALLEST)
    scores = Structure()(Pictures(least, least, torch.ones(1, SMALLEST, SMALLEST)))
    assert values_of(scores, "object")["vifp"] == pytest.approx(1)


@pytest.mark.parametrize(
    ("rows", "columns", "expected"),
    [
        ((30, 60), (30, 50), (22, 68, 20, 61)),  # 46 high; 20 wide with its band 36, made 41
        ((0, 2), (78, 80), (0, 41, 39, 80)),  # at a corner
        ((0, 96), (0, 80), (0, 96, 0, 80)),
    ],
)
def test_the_box_has_a_margin_and_a_least_size_inside_the_picture(rows, columns, expected):
    region = torch.zeros(96, 80, dtype=torch.bool)
    region[slice(*rows), slice(*columns)] = True
    height, width = box_around(region, BAND, SMALLEST)
    assert (height.start, height.stop, width.start, width.stop) == expected
    tight = box_around(region)
    assert tight == (slice(*rows), slice(*columns))
