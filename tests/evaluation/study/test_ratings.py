"""Scores of systems."""

from math import log

import numpy as np
import pytest

from evaluation.study.ratings import bootstrap, bradley_terry, interval, outcomes, rate, wilson
from evaluation.study.votes import Vote, merged


def test_wilson_agrees_with_published_values():
    # 8 of 10; 81 of 263 and 0 of 20 from Newcombe (1998), table I, method 3
    assert wilson(8, 10) == pytest.approx((0.4902, 0.9433), abs=5e-5)
    assert wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    assert wilson(0, 20) == pytest.approx((0, 0.1611), abs=5e-5)


def test_resampling_raters_sees_that_their_votes_hang_together():
    # ten raters of ten votes each, who are all for or all against: ten votes' worth, not a hundred
    won, total = np.repeat([10.0, 0.0], 5), np.full(10, 10.0)
    low, high = bootstrap(won, total)
    assert (low, high) == bootstrap(won, total)
    assert (low, high) == pytest.approx((0.2, 0.8), abs=0.01)
    assert interval(won, total)[2] == "bootstrap over raters"
    assert interval(won[:4], total[:4])[2] == "Wilson"
    agreed = interval(np.full(6, 4.0), np.full(6, 4.0))
    assert agreed == (*wilson(24, 24), "Wilson")
    assert interval(np.zeros(3), np.zeros(3)) == (None, None, "")


def test_bradley_terry_of_two_systems_is_the_log_odds():
    scores = bradley_terry(np.array([[0, 30], [10, 0]]), prior=0)
    assert scores == pytest.approx([log(3) / 2, -log(3) / 2])
    always = bradley_terry(np.array([[0, 20], [0, 0]]))
    assert always[0] - always[1] == pytest.approx(log(20.1 / 0.1))


def test_bradley_terry_recovers_what_votes_were_drawn_from():
    true = np.array([1.0, 0.3, -0.4, -0.9])
    chance = 1 / (1 + np.exp(true[None] - true[:, None]))
    random, wins = np.random.default_rng(0), np.zeros((4, 4))
    for i in range(4):
        for j in range(i):
            wins[i, j] = random.binomial(4000, chance[i, j])
            wins[j, i] = 4000 - wins[i, j]
    scores = bradley_terry(wins)
    assert scores == pytest.approx(true, abs=0.06)
    assert scores.sum() == pytest.approx(0, abs=1e-9)
    apart = np.zeros((4, 4))  # systems that never met, and one that nobody saw
    apart[0, 1] = 50
    assert np.isfinite(bradley_terry(apart)).all()


def test_a_tie_is_half_a_win_for_each():
    pairs = {"p": ("X", "Y"), "q": ("Y", "X")}
    votes = [
        Vote("anna", "p", "style", "A"),
        Vote("anna", "q", "style", "same"),
        Vote("bert", "p", "style", "same"),
        Vote("bert", "q", "style", "B"),
    ]
    assert outcomes(votes, pairs, ["X", "Y"], ["anna", "bert"]).sum(0).tolist() == [[0, 3], [1, 0]]
    best, worst = rate(votes, pairs, ["Y", "X"])
    assert (best.system, best.wins, best.ties, best.losses) == ("X", 2, 2, 0)
    assert (worst.system, worst.wins, worst.ties, worst.losses) == ("Y", 0, 2, 2)
    assert (best.share, best.of_all, best.interval) == (0.75, 0.75, "Wilson")
    assert best.score == pytest.approx(log(3.1 / 1.1) / 2)
    assert best.against_average + worst.against_average == pytest.approx(1)
    rating = rate(votes[:1], pairs, ["X", "Y", "Z"])
    assert next(row for row in rating if row.system == "Z").share is None
    assert merged([*votes, Vote("anna", "p", "style", "B")])[0].answer == "B"
