"""The grammar."""

import contextlib
import time

import pytest

from datamodules.parsing.api import APIParser
from datamodules.parsing.base import MAX_WORDS
from datamodules.parsing.rules import RulesParser
from datamodules.support.errors import AtelierError
from datamodules.task import StyleTarget


@pytest.mark.parametrize(
    ("instruction", "object", "style"),
    [
        ("Turn the white sailboat to the art on fire", "white sailboat", "art on fire"),
        ("Turn the boat next to the pier into glass", "boat next to the pier", "glass"),
        ("Make the bridge look as if it were made of ice", "bridge", "ice"),
        ("Make the dog's tail golden.", "dog's tail", "golden"),
        ("Paint the girl with a hat in the style of Klee", "girl with a hat", "Klee"),
        ("In Monet's style, paint the garden gate", "garden gate", "Monet"),
        ("Apply Matisse's style to the chair by the door", "chair by the door", "Matisse"),
        ("Give the man's beard a neon light look", "man's beard", "neon light"),
        ("Could you give the girl with a hat a coat of gold?", "girl with a hat", "coat of gold"),
        ("frog -> Guernica by Pablo Picasso", "frog", "Guernica by Pablo Picasso"),
        ("object: the kettle, style: silver", "kettle", "silver"),
        ("Use pop art for the horse, but keep the rest", "horse", "pop art"),
        ("Keep the sky and turn the dog into bronze", "dog", "bronze"),
        ("change the bus to lava and leave the background", "bus", "lava"),
        ("The cat should become an ink drawing, please", "cat", "ink drawing"),
        ('Make "the taxi" look like "vintage poster"', "taxi", "vintage poster"),
        ("Turn it into a charcoal drawing", "", "charcoal drawing"),
        ("Restyle the old windmill", "old windmill", ""),
        ("Putting the cup into moonlight", "cup", "moonlight"),
        ("Making the cup look like moonlight is what I want", "cup", "moonlight"),
        ("Do you think you could turn the cup into jade?", "cup", "jade"),
        ("I was wondering if you could render the cup as jade", "cup", "jade"),
        ("Evening star in the style of Klee", "Evening star", "Klee"),  # "even" is no verb here
        ("Make the background a woodcut", "background", "woodcut"),
        ("There's a cup by the sink, turn it into jade", "cup by the sink", "jade"),
        ("I took a photo of my dog. Could you make him look like jade?", "dog", "jade"),
        ("Hi! The cup should be jade, the table stays. Cheers", "cup", "jade"),
        ("PAINT THE CUP LIKE HOKUSAI", "CUP", "HOKUSAI"),
        ("Klee would look great on the cup, don't you think?", "cup", "Klee"),
        ("Cup, etching style, or something like that", "Cup", "etching"),
        ("Pretend Klee painted the cup", "cup", "Klee"),
        ("A Paul Klee cup", "cup", "Paul Klee"),
    ],
)
def test_rules_read_the_usual_forms(instruction, object, style):
    assert RulesParser().parse(instruction) == [StyleTarget(object, style)]


@pytest.mark.parametrize(
    ("instruction", "targets"),
    [
        (
            "Turn the cat to fire and the background to snow",
            [("cat", "fire", 1), ("background", "snow", 1)],
        ),
        (
            "Turn the boat to 0.7*Van Gogh + 0.3*Hokusai and the sea to glass.",
            [("boat", "Van Gogh", 0.7), ("boat", "Hokusai", 0.3), ("sea", "glass", 1)],
        ),
        ("Turn the car to fire, keep the road as it is", [("car", "fire", 1)]),
        (
            "Turning the sky into glass while making the boat look like snow",
            [("sky", "glass", 1), ("boat", "snow", 1)],
        ),
    ],
)
def test_rules_read_several_targets(instruction, targets):
    found = [(t.object, t.style, t.weight) for t in RulesParser().parse(instruction)]
    assert found == targets


@pytest.mark.parametrize("parser", [RulesParser(), APIParser("m", "http://127.0.0.1:9/v1")])
@pytest.mark.parametrize(
    ("instruction", "sentence"),
    [(" \n", "instruction is empty"), ("word " * (MAX_WORDS + 1), f"{MAX_WORDS + 1} words")],
)
def test_blank_and_long_instructions_are_refused_alike(parser, instruction, sentence):
    with pytest.raises(AtelierError, match=sentence):
        parser.parse(instruction)


@pytest.mark.parametrize("instruction", ["?!...", "the of and", "Keep the house as it is"])
def test_rules_say_that_they_read_nothing(instruction):
    with pytest.raises(AtelierError, match="read neither an object nor a style"):
        RulesParser().parse(instruction)


@pytest.mark.parametrize(
    ("instruction", "sure"),
    [("Turn the cup into jade", True), ("the cup: jade", False), ("Paint the cup", False)],
)
def test_rules_say_how_sure_they_are(instruction, sure):
    assert RulesParser().reading(instruction).sure == sure


def test_rules_take_no_time_for_long_nonsense():
    start = time.perf_counter()
    for text in ("in a to as like " * (MAX_WORDS // 5), "paint the cat, and " * 50, "x" * 5000):
        with contextlib.suppress(AtelierError):
            RulesParser().parse(text)
    assert time.perf_counter() - start < 5
