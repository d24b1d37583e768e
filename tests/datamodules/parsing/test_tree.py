"""Whole instructions by their syntax alone."""

import contextlib
import time

import pytest

from datamodules.parsing.api import APIParser
from datamodules.parsing.base import MAX_WORDS
from datamodules.parsing.tree import TreeParser
from datamodules.support.errors import AtelierError
from datamodules.task import StyleTarget
from evaluation.instruction_sets import read_examples
from evaluation.metrics.parse_score import ParseScore
from tests.support.cli import ROOT


def pairs(instruction):
    return [(t.object, t.style, *t.exceptions) for t in TreeParser().parse(instruction)]


@pytest.mark.parametrize(
    ("instruction", "object", "style"),
    [
        ("Could you give the girl with a hat a coat of gold?", "girl with a hat", "gold"),
        ("Use pop art for the horse, but keep the rest", "horse", "pop art"),
        ("Keep the sky and turn the dog into bronze", "dog", "bronze"),
        ("Making the cup look like moonlight is what I want", "cup", "moonlight"),
        ("I was wondering if you could render the cup as jade", "cup", "jade"),
        ("Evening star in the style of Klee", "Evening star", "Klee"),  # "even" is no verb here
        ("There's a cup by the sink, turn it into jade", "cup by the sink", "jade"),
        ("I took a photo of my dog. Could you make him look like jade?", "dog", "jade"),
        ("Two cars are parked at a petrol station. Make them look like tin", "Two cars", "tin"),
        ("Take the statue and give it the style of Dali", "statue", "Dali"),
        ("Take the style of Mucha and put it on the bottle", "bottle", "Mucha"),
        ("PAINT THE CUP LIKE HOKUSAI", "CUP", "HOKUSAI"),
        ("The picture shows a car and a house. Turn the car to gold.", "car", "gold"),
        ("In the picture you can see a boat. Make the boat look like wood.", "boat", "wood"),
        ("Make the photo look like an old map", "", "old map"),
        ("Make it look like an old etching", "", "old etching"),
        ("Turn everything in the picture to fire", "", "fire"),
    ],
)
def test_the_tree_reads_one_object_and_its_style(instruction, object, style):
    assert TreeParser().parse(instruction) == [StyleTarget(object, style)]


@pytest.mark.parametrize(
    ("instruction", "target"),
    [
        ("Turn everything to fire except the cat", ("", "fire", "cat")),
        ("Turn everything but the sky to Van Gogh", ("", "Van Gogh", "sky")),
        ("Turn all but the cat to fire", ("", "fire", "cat")),
        ("Turn the image to fire excluding the cat", ("", "fire", "cat")),
        ("Turn everything that is not the cat into fire", ("", "fire", "cat")),
        ("Turn the picture to fire, but not the cat", ("", "fire", "cat")),
        ("Apply Van Gogh to everything without touching the cat", ("", "Van Gogh", "cat")),
        ("Turn everything behind the cat to fire", ("", "fire", "cat")),
        ("Leave the cat alone and turn everything else to fire", ("", "fire", "cat")),
        ("Don't change the cat. Turn the rest to fire.", ("", "fire", "cat")),
        ("Turn all the animals except the dog to ice", ("animals", "ice", "dog")),
        ("Everything in cartoon style apart from the faces", ("", "cartoon", "faces")),
        ("Make the car chrome, but keep its wheels as they are", ("car", "chrome", "wheels")),
        (
            "Paint all but the man in the hat in watercolor",
            ("", "watercolor", "man in the hat"),
        ),
        ("Everything except the sky and the sea as a map", ("", "map", "sky", "sea")),
        ("You see a man. Leave him as he is and turn the rest to snow", ("", "snow", "man")),
    ],
)
def test_what_an_instruction_spares_is_an_exception(instruction, target):
    assert pairs(instruction) == [target]


@pytest.mark.parametrize(
    "instruction",
    [
        "change the bus to lava but leave the street untouched",
        "turn the bus (not the street) into lava",
        "Turn just the bus, not its street, to lava",
        "Turn the bus to lava and nothing else",
    ],
)
def test_what_lies_beside_the_object_is_no_exception(instruction):
    assert pairs(instruction) == [("bus", "lava")]


@pytest.mark.parametrize(
    ("instruction", "targets"),
    [
        ("Turn the cat and the cup to fire", [("cat", "fire"), ("cup", "fire")]),
        (
            "Make the car, the house and the tree look like a watercolor",
            [("car", "watercolor"), ("house", "watercolor"), ("tree", "watercolor")],
        ),
        ("Turn the salt and pepper shakers to silver", [("salt and pepper shakers", "silver")]),
        (
            "Turn the girl with the cup and the saucer to fire",
            [("girl with the cup and the saucer", "fire")],
        ),
        (
            "Turn the cat and the dog to gold and the sofa to velvet",
            [("cat", "gold"), ("dog", "gold"), ("sofa", "velvet")],
        ),
        (
            "Turn the tower to ink and everything else to snow, but not the people",
            [("tower", "ink"), ("background", "snow", "people")],
        ),
        ("cat -> fire, cup -> ice", [("cat", "fire"), ("cup", "ice")]),
        (
            "Give the dress a Klimt look and the curtain a Matisse look",
            [("dress", "Klimt"), ("curtain", "Matisse")],
        ),
    ],
)
def test_several_objects_are_several_targets(instruction, targets):
    assert pairs(instruction) == targets


def test_parts_of_a_blend_have_weights():
    blend = "Turn the boat to 0.7*Van Gogh + 0.3*Hokusai and the sea to glass."
    assert TreeParser().parse(blend) == [
        StyleTarget("boat", "Van Gogh", 0.7),
        StyleTarget("boat", "Hokusai", 0.3),
        StyleTarget("sea", "glass"),
    ]


@pytest.mark.parametrize(
    ("instruction", "object", "style"),
    [
        ('Turn the cat to "Starry Night" by Van Gogh', "cat", "Starry Night by Van Gogh"),
        ("Make the sky look like 'The Scream'", "sky", "The Scream"),
        ("Put \u201cImpression, Sunrise\u201d on the boat", "boat", "Impression, Sunrise"),
        ('Turn the "red car" into "pop art"', "red car", "pop art"),
    ],
)
def test_a_title_in_quotes_is_one_name(instruction, object, style):
    assert pairs(instruction) == [(object, style)]


@pytest.mark.parametrize("parser", [TreeParser(), APIParser("m", "http://127.0.0.1:9/v1")])
@pytest.mark.parametrize(
    ("instruction", "sentence"),
    [(" \n", "instruction is empty"), ("word " * (MAX_WORDS + 1), f"{MAX_WORDS + 1} words")],
)
def test_blank_and_long_instructions_are_refused_alike(parser, instruction, sentence):
    with pytest.raises(AtelierError, match=sentence):
        parser.parse(instruction)


@pytest.mark.parametrize("instruction", ["?!...", "Keep the house as it is", "Don't touch the cat"])
def test_an_instruction_that_asks_for_nothing_is_refused(instruction):
    with pytest.raises(AtelierError, match=r"names (?:neither|only what is to remain)"):
        TreeParser().parse(instruction)


@pytest.mark.parametrize(
    ("instruction", "reason"),
    [
        ("Turn everything on the table to gold", "on the table' names nothing that can be found"),
        ("Turn the rest to fire", "what the rest leaves out"),
        ("Don't turn the cat to fire", "only what is to remain"),
    ],
)
def test_what_cannot_be_read_for_sure_is_refused(instruction, reason):
    with pytest.raises(AtelierError, match=reason):
        TreeParser().parse(instruction)


def test_long_nonsense_takes_no_time():
    TreeParser().parse("Turn the cat to fire")  # loads what it needs
    start = time.process_time()
    for text in ("in a to as like " * (MAX_WORDS // 5), "paint the cat, and " * 50, "x" * 5000):
        with contextlib.suppress(AtelierError):
            TreeParser().parse(text)
    assert time.process_time() - start < 5


CASES = read_examples(str(ROOT / "tests" / "data" / "instructions_cases.jsonl"))


@pytest.mark.parametrize("case", CASES, ids=[case.instruction for case in CASES])
def test_sentences_that_gave_trouble_are_read(case):
    assert TreeParser().parse(case.instruction) == list(case.key)


@pytest.mark.parametrize(("name", "least"), [("dev", 0.98), ("several", 0.98), ("kinds", 0.96)])
def test_the_tree_alone_reads_the_sets_it_was_written_on(name, least):
    parser, score = TreeParser(), ParseScore()
    for example in read_examples(name)[::4]:
        score.update(parser.parse(example.instruction), example.key, example.instruction)
    assert score.compute()["exact"] >= least
