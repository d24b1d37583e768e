"""Suggestions for misspelt names."""

from datamodules.support.suggestions import MOST, did_you_mean, there_are


def test_a_misspelt_name_is_met_with_the_nearest_one():
    assert did_you_mean("soulstiler", ["fusion", "soulstyler"]) == "; did you mean soulstyler?"


def test_a_name_that_is_like_no_other_is_met_with_nothing():
    assert did_you_mean("zebra", ["fusion", "soulstyler"]) == ""


def test_a_sentence_lists_what_there_is_but_not_without_end():
    assert there_are("styel", ["style", "seed"]) == "; there are style, seed; did you mean style?"
    ending = there_are("zebra", [f"label-{k}" for k in range(MOST + 1)])
    assert ending.endswith(f"label-{MOST - 1}, ...")
