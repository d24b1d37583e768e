"""Training of FastPainter's shipped weights: its texts, and its repetition."""

import pytest
import torch
import yaml

from datamodules.models.published import UNTRAINED
from experiments.make.fast_lessons import TEXTS, Course, course, draw_unseen, forbidden
from experiments.make.fast_weights import Data, codes_course, learn_codes, phrasings, refine
from experiments.measure.embedded_quality import STYLES
from experiments.measure.one_pass_quality import UNSEEN
from lightning_modules.generators.fast_lessons import lessons
from lightning_modules.generators.fast_painter import FastPainter
from lightning_modules.generators.painter_styles import catalogue, nearest_style


@pytest.fixture(scope="module")
def plan():
    return codes_course()


def test_no_lesson_has_a_word_or_the_code_of_an_unseen_style(plan):
    pattern = forbidden([catalogue()[0][k] for k in plan.unseen])
    for lesson, _ in phrasings(plan):
        assert not pattern.search(lesson.text), lesson.text
        assert not set(lesson.styles) & set(plan.unseen)


def test_the_unseen_styles_are_those_of_the_draw_and_of_the_sheet(plan):
    styles = catalogue()[0]
    on_sheet = [styles.index(nearest_style(text)[0]) for text in STYLES]
    assert plan.unseen == draw_unseen(on_sheet)
    assert [styles.index(nearest_style(text)[0]) for text in UNSEEN] == plan.unseen


def test_the_shipped_lessons_are_those_of_the_lists(plan):
    assert lessons().texts == [lesson.text for lesson in course().lessons]
    torch.testing.assert_close(lessons().codes, plan.targets(plan.lessons), atol=2e-3, rtol=2e-3)


def test_no_text_is_in_the_list_twice():
    words = [
        text for entry in yaml.safe_load(TEXTS.read_text())["texts"] for text in entry["words"]
    ]
    assert len(words) == len(set(words))


def test_the_training_gives_the_same_weights_again_and_comes_nearer_to_the_codes():
    FastPainter()  # networks that are read once per process take random numbers then
    all_lessons = lessons()
    rows = Data(all_lessons.embeddings[:20], all_lessons.codes[:20], torch.ones(20))

    def after(steps):
        torch.manual_seed(0)
        painter = FastPainter(weights=UNTRAINED)
        learn_codes(painter, rows, steps)
        errors = painter.code_errors(painter.network(rows.embeddings), rows.codes)
        return painter.network.state_dict(), float(errors.mean().detach())

    (weights, error), (again, _), (_, later) = (after(steps) for steps in (2, 2, 30))
    assert all(torch.equal(value, again[name]) for name, value in weights.items())
    assert later < 0.7 * error


def test_refinement_by_the_losses_of_clipstyler_keeps_the_codes(plan):
    """Two steps from the shipped weights, on a few lessons."""
    painter = FastPainter()
    few = Course(plan.lessons[:4], plan.unseen, plan.codes)
    finer = refine(painter, few, steps=2)
    texts = [lesson.text for lesson in few.lessons]
    before, after = painter.texts(texts), finer.texts(texts)
    assert 0 < float(painter.code_errors(before, after).detach().max()) < 0.05
