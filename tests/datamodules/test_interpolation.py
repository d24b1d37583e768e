"""Blends on the way from one style to another."""

import pytest

from datamodules.interpolation import Interpolation, between, captions
from datamodules.parsing.blend import targets_of
from datamodules.support.errors import AtelierError
from datamodules.task import BACKGROUND, Area, StyleTarget, styles_by_area

BOAT, SKY = StyleTarget("boat", "fire"), StyleTarget(BACKGROUND, "snow")
TWO = styles_by_area([BOAT, SKY])


@pytest.mark.parametrize(
    ("to", "boat", "background"),
    [
        ("", "fire", "snow"),
        ([], "fire", "snow"),
        ("ice", "ice", "snow"),
        (["boat=ice"], "ice", "snow"),
        (["Background = ice"], "fire", "ice"),
        (["ice", "background=E=mc2"], "ice", "E=mc2"),
    ],
)
def test_an_end_is_given_to_the_first_object_or_to_the_one_that_it_names(to, boat, background):
    ends = Interpolation(to).ends([SKY, BOAT])
    assert ends == {Area("boat"): ((1.0, boat),), Area(BACKGROUND): ((1.0, background),)}


def test_objects_of_one_style_go_together_and_part_where_one_of_them_is_named():
    targets = [StyleTarget(name, "fire") for name in ("cat", "dog")]
    assert set(Interpolation("ice").ends(targets).values()) == {((1.0, "ice"),)}
    assert Interpolation("dog=ice").ends(targets)[Area("cat")] == ((1.0, "fire"),)


@pytest.mark.parametrize(
    ("to", "sentence"),
    [
        ("boot=ice", "names 'boot', and the run has boat, background; did you mean boat"),
        (["ice", "boat=snow"], "gives two styles to 'boat'"),
        ("=ice", 'write it as "ice" or "boat=ice"'),
        ("boat=", 'write it as "ice" or "boat=ice"'),
        ([" "], 'write it as "ice" or "boat=ice"'),
    ],
)
def test_an_end_that_fits_no_object_is_refused(to, sentence):
    with pytest.raises(AtelierError, match=sentence):
        Interpolation(to).ends([BOAT, SKY])


def test_a_style_that_a_picture_shows_has_no_way_to_a_text():
    with pytest.raises(AtelierError, match="'boat' comes from a picture"):
        Interpolation("ice").ends([BOAT, SKY], has_style_image=True)
    ends = Interpolation("background=ice").ends([BOAT, SKY], has_style_image=True)
    assert ends[Area(BACKGROUND)] == ((1.0, "ice"),)


@pytest.mark.parametrize("frames", [1, 1000])
def test_too_few_and_too_many_frames_are_refused(frames):
    with pytest.raises(AtelierError, match=f"--frames is {frames}; give a number from 2 to 999"):
        Interpolation("ice", frames)


def test_the_styles_between_are_weighted_means_and_those_at_the_ends_are_the_styles_themselves():
    blends = styles_by_area(targets_of("boat", "2*fire + 6*gold"))
    end = styles_by_area(targets_of("boat", "0.5*gold + 0.5*ice"))
    assert between(blends, end, 0.0) == blends
    assert between(blends, end, 1.0) == end
    (middle,) = between(blends, end, 0.5).values()
    assert {text: weight for weight, text in middle} == {"fire": 0.125, "gold": 0.625, "ice": 0.25}


def test_a_style_that_stays_is_the_same_to_the_last_bit():
    end = Interpolation("ice").ends([BOAT, SKY])
    shares = Interpolation("ice", frames=8).shares()
    assert {between(TWO, end, share)[Area(BACKGROUND)] for share in shares} == {((1.0, "snow"),)}


def test_captions_name_the_ends_and_count_between_them():
    end = Interpolation("ice").ends([BOAT, SKY])
    shares = Interpolation("ice", frames=3).shares()
    assert captions(TWO, end, shares) == ["fire", "50%", "ice"]
