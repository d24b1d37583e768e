"""The lead of the best row over the next best."""

import math

import pytest
from scipy import stats

from evaluation.tables.groups import grouped
from evaluation.tables.lead import TEST, differences, explained, half_width, leads, matched
from tests.support.reports import run

# Student 1908: additional hours of sleep of ten patients, with two drugs.
FIRST = (0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0)
SECOND = (1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4)


def groups_of(by=("method",), **rows):
    """Groups of runs: by method, the score of each seed, or (labels, score) of each run."""
    runs = []
    for method, values in rows.items():
        for seed, value in enumerate(values):
            labels, score = value if isinstance(value, tuple) else ({"seed": seed}, value)
            runs.append(run(f"{method}{seed}", method, {"sleep": score}, labels=labels))
    return grouped(runs, by)


def lead(groups, score, higher_is_better):
    return leads(groups, {score: higher_is_better})[score]


def paired(one, other, score):
    return differences(matched(one, other), score)


def test_the_interval_is_that_of_students_sleep_data():
    one = lead(groups_of(dextro=FIRST, laevo=SECOND), "sleep", True)
    assert (one.row, one.pairs) == (1, 10)
    assert one.difference == pytest.approx(1.58)
    # The interval that R prints for t.test(extra ~ group, sleep, paired = TRUE).
    low, high = one.difference - one.half, one.difference + one.half
    assert (low, high) == pytest.approx((0.7001142, 2.4598858))
    interval = stats.ttest_rel(SECOND, FIRST).confidence_interval(0.95)
    assert (low, high) == pytest.approx(tuple(interval))
    assert one.clear
    # Without pairs nothing would be certain: the patients differ more than the drugs.
    assert stats.ttest_ind(SECOND, FIRST).pvalue > 0.05


def test_only_the_next_best_row_counts_and_only_where_a_direction_is_better():
    rows = groups_of(a=(1.0, 2.0, 3.0), b=(1.1, 2.2, 3.1), c=(9.0, 9.5, 8.0))
    best, worst = lead(rows, "sleep", True), lead(rows, "sleep", False)
    assert (best.row, worst.row) == (2, 0)
    assert worst.difference == pytest.approx(0.4 / 3)
    assert lead(rows, "sleep", None) is None
    assert lead(rows, "leakage", True) is None
    assert lead(rows[:1], "sleep", True) is None


@pytest.mark.parametrize(
    ("other", "clear"),
    [
        ((0.3, 0.3, 0.3), False),  # equal
        ((0.1 + 0.2, 0.1 + 0.2, 0.1 + 0.2), False),  # equal but for the last digits
        ((0.2, 0.2, 0.2), True),  # always by the same
        ((0.2, 0.1, 0.6), False),  # at times
        ((0.2,), False),  # once
        ((None, None, 0.2), False),
    ],
)
def test_a_difference_within_its_interval_is_no_lead(other, clear):
    assert lead(groups_of(a=(0.3, 0.3, 0.3), b=other), "sleep", True).clear is clear


def test_runs_are_paired_by_all_that_both_groups_are_labelled_with():
    def labels(picture, seed, **more):
        return {"picture": picture, "seed": seed} | more

    rows = groups_of(
        a=[(labels("p", 0, segmenter="x"), 5.0), (labels("q", 0, segmenter="x"), 1.0)],
        b=[(labels("q", 0), 0.5), (labels("p", 0), 3.0), (labels("p", 1), 100.0)],
    )
    assert sorted(paired(*rows, "sleep")) == [0.5, 2.0]
    # Runs of another picture are never a pair, and several runs of one setting count once.
    other = groups_of(a=[(labels("p", 0), 1.0)], b=[(labels("q", 0), 2.0)])
    assert paired(*other, "sleep") == []
    twice = groups_of(
        a=[({"seed": 0}, 1.0), ({"seed": 0}, 3.0)], b=[({"seed": 0}, 1.5), ({"seed": True}, 9.0)]
    )
    assert paired(*twice, "sleep") == [0.5]


def test_an_interval_needs_two_pairs():
    assert half_width([]) == half_width([1.0]) == math.inf
    assert half_width([1.0, 1.0]) == 0
    assert half_width([0.0, 1.0]) == pytest.approx(12.7062047 * 0.5)


def test_what_is_bold_is_said_with_its_test_and_number_of_pairs():
    clear = lead(groups_of(a=(1.0, 2.0, 3.5), b=(0.0, 1.0, 2.0)), "sleep", True)
    chance = lead(groups_of(a=(1.0, 9.0), b=(5.0, 2.0)), "sleep", True)
    message = explained([clear, chance, None])
    assert message.startswith("Bold: the difference to the next best exceeds its 95% interval")
    assert TEST in message
    assert "n = 2 to 3" in message
    assert explained([chance]).startswith("None is bold, because no difference")
    assert "n = 2)" in explained([chance])
    assert explained([None]) == ""
