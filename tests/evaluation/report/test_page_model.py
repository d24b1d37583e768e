"""The contents of a report's page."""

import pytest

from evaluation.report import page_model
from evaluation.tables.numbers import duration
from tests.support.reports import entry, run


def test_own_scores_and_empty_ones_are_no_main_scores():
    metrics = {"own_style_patch.x": 1.0, "leakage": 0.0, "style_patch.y": 0.5, "dists": None}
    assert page_model.main_scores([run(metrics=metrics)]) == ["style_patch.y", "leakage"]
    assert page_model.all_scores([run(metrics=metrics)])[-1] == "own_style_patch.x"


def test_scores_of_a_users_own_metric_are_main_scores():
    metrics = {"glow.x": 1.0, "own_glow.x": 1.0, "leakage": 0.0, "nima_std": 1.0}
    assert page_model.main_scores([run(metrics=metrics)]) == ["leakage", "glow.x"]
    (card,) = page_model.gallery([entry(metrics=metrics)])["runs"]
    titles = [score["title"] for score in page_model.gallery([entry(metrics=metrics)])["scores"]]
    assert dict(zip(titles, card["scores"], strict=True)) == {"leakage": 0.0, "glow · x": 1.0}
    row, *_ = page_model.detail(entry(metrics=metrics))["metrics"]
    assert (row[0], row[3]) == ("leakage", "leakage")


def test_thresholds_are_numbers_that_differ_and_no_seeds():
    rows = [(0.5, 0, True), (0.7, 1, False), (0.7, 2, False)]
    entries = [entry(labels={"model.tau": t, "seed": s, "flag": b, "n": 3}) for t, s, b in rows]
    assert page_model.thresholds(entries) == {"model.tau": [0.5, 0.7]}
    assert page_model.varying(entries) == {
        "model.tau": ["0.5", "0.7"],
        "seed": ["0", "1", "2"],
        "flag": ["no", "yes"],
    }


def test_runs_of_several_encoders_are_never_averaged():
    entries = page_model.with_groups([entry(encoder="x"), entry(encoder="y")])
    assert list(page_model.by_group(entries)) == ["Soulstyler · x", "Soulstyler · y"]
    (alone,) = page_model.with_groups([entry(method="SemCS")])
    assert alone.group == "Sem-CS"


def test_a_method_is_known_by_its_file_and_by_its_class():
    assert entry(method="SemCS", labels={"method": "sem_cs"}).labels["method"] == "SemCS"
    assert entry(method="SemCS", labels={"method": "sem_cs_ref"}).labels["method"] == "sem_cs_ref"


@pytest.mark.parametrize(
    ("seconds", "words"), [(41.2, "41 s"), (700, "12 min"), (3540, "59 min"), (11100, "3 h 05 min")]
)
def test_time_in_words(seconds, words):
    assert duration(seconds) == words
