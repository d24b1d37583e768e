"""Suggestions for misspelt names."""

from datamodules.support.suggestions import did_you_mean


def test_a_misspelt_name_is_met_with_the_nearest_one():
    assert did_you_mean("soulstiler", ["fusion", "soulstyler"]) == "; did you mean soulstyler?"


def test_a_name_that_is_like_no_other_is_met_with_nothing():
    assert did_you_mean("zebra", ["fusion", "soulstyler"]) == ""
