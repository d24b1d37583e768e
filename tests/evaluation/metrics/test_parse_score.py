"""Scores of parses."""

import random

import pytest
import torch

from datamodules.task import BACKGROUND, StyleTarget
from evaluation.metrics.parse_score import ParseScore, normalise, parse_scores, span_iou, token_f1
from tests.support.parses import SAILBOAT, SKY, targets


@pytest.mark.parametrize(
    ("predicted", "key", "f1"),
    [
        ("white sailboat", "white sailboat", 1),
        ("The White Sailboat.", "white sailboat", 1),
        ("sailboat", "white sailboat", 2 / 3),  # precision 1, recall 1/2
        ("white boat on sea", "white sailboat", 2 / 6),  # 1 of 4, 1 of 2
        ("fire", "ice", 0),
        ("", "", 1),
        ("the", "", 1),
        ("", "fire", 0),
        ("fire fire", "fire", 2 / 3),  # a word counts as often as both have it
        ("Starry Night by Vincent van Gogh", "Starry Night", 4 / 8),
        ("man's hat", "man\u2019s hat", 1),
    ],
)
def test_token_f1_by_hand(predicted, key, f1):
    assert token_f1(predicted, key) == token_f1(key, predicted) == pytest.approx(f1)


@pytest.mark.parametrize(
    ("predicted", "key", "instruction", "iou"),
    [
        ("white sailboat", "White Sailboat", SAILBOAT, 1),
        ("sailboat", "white sailboat", SAILBOAT, 8 / 14),
        ("the white", "white sailboat", SAILBOAT, 5 / 18),  # shared "white"; together 9 + 14 - 5
        ("art", "fire", SAILBOAT, 0),
        ("", "", SAILBOAT, 1),
        ("", "fire", SAILBOAT, 0),
        ("ship", "white sailboat", SAILBOAT, 0),
        ("ship", "ship", SAILBOAT, 0),
        ("cat", "the second cat", "the first cat and the second cat", 3 / 14),  # not the first one
        ("aa", "aaa", "baaab", 2 / 3),  # occurrences overlap
        ("white   sailboat", "white sailboat", "Turn the white\nsailboat", 1),
        (BACKGROUND, BACKGROUND, "Turn the rest to snow", 1),
        (BACKGROUND, "rest", "Turn the rest to snow", 0),
        ("0.7*fire (+)", "fire", "to 0.7*fire (+)", 4 / 12),
    ],
)
def test_span_iou_by_hand(predicted, key, instruction, iou):
    assert span_iou(predicted, key, instruction) == pytest.approx(iou)
    assert span_iou(key, predicted, instruction) == pytest.approx(iou)


@pytest.mark.parametrize(
    ("reading", "expected"),
    [  # exact, exact object, exact style, F1 object, F1 style, IoU object, IoU style
        ([("sky", "snow"), ("boat", "fire")], [1, 1, 1, 1, 1, 1, 1]),
        ([("boat", "fire"), ("sky", "snow")], [1, 1, 1, 1, 1, 1, 1]),  # in any order
        ([("sky", "snow")], [0, 0, 0, 0.5, 0.5, 0.5, 0.5]),  # the other is missing
        ([("sky", "snow"), ("boat", "fire"), ("", "x")], [0, 0, 0] + [2 / 3] * 4),
        ([("sky", "fire"), ("boat", "snow")], [0, 1, 1, 1, 0, 1, 0]),  # exchanged
        ([("sky", "snow", 0.5), ("boat", "fire")], [0, 1, 1, 1, 1, 1, 1]),  # a weight
        ([], [0] * 7),
    ],
)
def test_several_targets_by_hand(reading, expected):
    keys = targets(("sky", "snow"), ("boat", "fire"))
    scores = parse_scores(targets(*reading), keys, SKY)
    if reading[:1] == [("sky", "fire")]:  # pairing by objects or by styles is equally good
        assert scores["exact"] == 0 and scores["exact_object"] == scores["exact_style"] == 1
        assert sum(scores[name] for name in ("f1_object", "f1_style")) == 1
    else:
        assert [scores[name] for name in ParseScore.scores] == pytest.approx(expected)


def test_a_target_with_other_exceptions_is_wrong():
    keys = [StyleTarget("", "fire", exceptions=("the cat", "cup"))]
    alike = [StyleTarget("", "fire", exceptions=("cup", "Cat"))]
    assert parse_scores(alike, keys, "x")["exact"] == 1
    for exceptions in ((), ("cat",), ("cat", "cup", "dog")):
        scores = parse_scores([StyleTarget("", "fire", exceptions=exceptions)], keys, "x")
        assert (scores["exact"], scores["exact_object"], scores["exact_style"]) == (0, 0, 1)


def test_no_key_is_a_mistake_of_the_caller():
    with pytest.raises(ValueError, match="no key"):
        parse_scores([], [], SAILBOAT)


def some_targets(draw, words):
    def phrase():
        start = draw.randrange(len(words))
        return " ".join(words[start : start + draw.randrange(4)])

    return [StyleTarget(phrase(), phrase()) for _ in range(draw.randrange(1, 4))]


def test_scores_hold_what_they_promise():
    draw = random.Random(0)
    sentence = "Turn the white cat, a dog's tail. and THE Cat to an old (art) on fire!"
    words = sentence.split()
    for _ in range(300):
        reading, keys = some_targets(draw, words), some_targets(draw, words)
        text = " ".join(words)
        scores = parse_scores(reading, keys, text)
        assert set(scores) == set(ParseScore.scores)
        assert all(0 <= value <= 1 for value in scores.values())
        assert scores["exact"] <= min(scores["exact_object"], scores["exact_style"])
        if scores["exact"]:
            assert scores["f1_object"] == scores["f1_style"] == 1
        assert set(parse_scores(keys, keys, text).values()) == {1.0}
        shuffled = draw.sample(reading, len(reading))
        again = parse_scores(shuffled, keys, text)
        assert sum(again.values()) == pytest.approx(sum(scores.values()))
        a, b = reading[0].object, keys[0].object
        if normalise(a) == normalise(b):
            assert token_f1(a, b) == 1


def test_the_metric_is_the_mean_and_can_be_reset_and_joined():
    metric, other = ParseScore(), ParseScore()
    right, wrong = targets(("sky", "snow")), targets(("boat", "snow"))
    metric.update(right, right, SKY)
    metric.update(wrong, right, SKY)
    reading = {name: value.item() for name, value in metric.compute().items()}
    assert reading == {
        "exact": 0.5,
        "exact_object": 0.5,
        "exact_style": 1,
        "f1_object": 0.5,
        "f1_style": 1,
        "iou_object": 0.5,
        "iou_style": 1,
    }
    assert metric.higher_is_better
    assert all((s.low, s.high, bool(s.source)) == (0, 1, True) for s in metric.scores.values())
    other.update(right, right, SKY)
    other.merge_state(metric)
    assert other.compute()["exact"] == pytest.approx(2 / 3)
    metric.reset()
    assert torch.equal(metric.sums, torch.zeros(7, dtype=torch.float64)) and metric.count == 0


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The  White Sailboat.", "white sailboat"),
        ("a photo of an apple", "photo of apple"),
        ("The Great Wave off\nKanagawa!", "great wave off kanagawa"),
        ("theatre", "theatre"),
        ("", ""),
    ],
)
def test_normalise(text, expected):
    assert normalise(text) == expected


def test_exact_match_is_exact():
    assert normalise("Starry Night") == normalise("the starry night.")
    assert normalise("Starry Night") != normalise("Starry Night by Vincent van Gogh")
