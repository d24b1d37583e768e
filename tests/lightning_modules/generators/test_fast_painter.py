"""FastPainter: the shipped weights, their lessons, and the note on texts unlike any lesson."""

import pytest
import torch

from datamodules.models import packaged
from datamodules.task import StyleBatch
from lightning_modules.generators.fast_lessons import LESSONS, lessons
from lightning_modules.generators.fast_painter import WEIGHTS, FastPainter


@pytest.fixture(scope="module")
def painter():
    return FastPainter()


def code(painter, text):
    return painter.texts([text])[0]


def apart(painter, *codes):
    return float(painter.code_errors(codes[0][None], codes[1][None]))


def test_weights_and_lessons_take_less_than_three_megabytes():
    files = [packaged.locate(file) for file in (WEIGHTS, LESSONS)]
    assert sum(path.stat().st_size for path in files) < 3e6


def test_words_of_a_style_are_nearest_to_its_own_code(painter):
    """Among the codes of all lessons that mean another style."""
    texts = ["fire", "Starry Night", "mosaic tiles", "stained glass", "charcoal drawing", "Hokusai"]
    all_lessons = lessons()
    for text, row in zip(texts, all_lessons.rows(texts), strict=True):
        errors = painter.code_errors(code(painter, text)[None], all_lessons.codes)
        assert apart(painter, all_lessons.codes[row], all_lessons.codes[errors.argmin()]) < 0.02


@pytest.mark.parametrize(
    ("phrase", "words"),
    [
        ("a mosaic painting", "mosaic"),
        ("a statue out of gold", "gold"),
        ("a building that burns in flames", "fire"),
        ("a sketch drawn by pencil", "pencil sketch"),
        ("in the way Hokusai painted", "Hokusai"),
    ],
)
def test_a_phrase_leads_to_the_style_that_it_names(painter, phrase, words):
    others = ["mosaic", "gold", "fire", "pencil sketch", "Hokusai", "leaves", "wool", "night"]
    codes = lessons().codes[lessons().rows(others)]
    nearest = painter.code_errors(code(painter, phrase)[None], codes).argmin()
    assert others[nearest] == words


def test_a_color_in_the_text_dyes_the_picture(painter):
    grey = torch.full((1, 3, 64, 64), 0.5) + 0.1 * torch.rand(1, 3, 64, 64)
    red, blue = (
        painter.paint(grey, painter.texts([f"{color} crystal"])).mean((0, 2, 3))
        for color in ("red", "blue")
    )
    assert red[0] - red[2] > blue[0] - blue[2] + 0.2


def test_british_spelling_is_read_as_american(painter):
    codes = [
        code(painter, text) for text in ("a colourful grey picture", "a colorful gray picture")
    ]
    torch.testing.assert_close(*codes)


def painted_in(text):
    painter = FastPainter()
    painter.start(
        StyleBatch(torch.rand(1, 3, 16, 16), torch.ones(1, 1, 16, 16), (((1.0, text),),), "a Photo")
    )
    return painter.note


def test_a_text_unlike_any_lesson_is_noted(caplog):
    note = painted_in("quarterly tax return")
    assert "'quarterly tax return'" in note and "a rough likeness" in note
    assert "--style-image" in note and note in caplog.text


@pytest.mark.parametrize("text", ["ice", "smoke", "silk"])
def test_a_substance_that_no_lesson_near_the_text_names_is_noted(text):
    assert f"no '{text}' and may paint" in painted_in(text) or "rough" in painted_in(text)


@pytest.mark.parametrize("text", ["the art on fire", "a golden statue", "green crystals", "Monet"])
def test_only_what_was_learned_has_no_note(text):
    assert bool(painted_in(text)) == (text == "Monet")


def test_an_untrained_network_reaches_the_codes_of_all_lessons():
    network = FastPainter(weights="untrained").network
    low, high = network.mean - network.scale, network.mean + network.scale
    assert ((lessons().codes > low) & (lessons().codes < high)).all()


def test_losses_of_codes_are_small_for_the_lesson_itself_and_absent_for_other_texts(painter):
    blends = [((1.0, "fire"),), ((1.0, "no lesson at all"),), ((1.0, "fire"), (1.0, "mosaic"))]
    codes = lessons().codes[lessons().rows(["fire"])].repeat(3, 1)
    right = painter.own_losses(codes, blends)
    wrong = painter.own_losses(codes + 0.1, blends)
    first_wrong = painter.own_losses(codes + torch.tensor([[0.0], [0.1], [0.1]]), blends)
    assert right["code"] == first_wrong["code"] == 0 < wrong["code"]
    assert painter.own_losses(codes + 5, blends)["prior"] > 10 * right["prior"]
