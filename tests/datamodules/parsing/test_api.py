"""A parser at an endpoint, here a server of the tests."""

import json
import logging
import time

import pytest
import torch

from datamodules.parsing.api import APIParser
from datamodules.parsing.tree import TreeParser
from datamodules.segmentation.whole import WholePicture
from datamodules.stylization import StylizationDataModule
from datamodules.support.errors import AtelierError
from datamodules.target_entries import entry_of, target_of
from datamodules.task import StyleTarget
from evaluation.suite import score_run
from lightning_modules.callbacks import WriteRun
from lightning_modules.encoders.base import JointEncoder
from tests.support.endpoints import GOOD, INSTRUCTION, answer
from tests.support.servers import KEY, completion

SAILBOAT = [StyleTarget("White Sailboat", "art on fire")]


def refused(parser, caplog, sentence, instruction=INSTRUCTION):
    """The parser's refusal is one line, says this, and nothing gives the key away."""
    caplog.set_level(logging.DEBUG)
    with pytest.raises(AtelierError, match=sentence) as caught:
        parser.parse(instruction)
    message = str(caught.value)
    assert "\n" not in message and ";" in message
    chain, error = [], caught.value
    while error:
        chain.append(repr(error))
        error = error.__cause__ or error.__context__
    for text in (message, repr(parser), str(vars(parser)), caplog.text, *chain):
        assert KEY not in text
    return message


def test_a_good_answer_gets_the_instructions_own_spelling(serve):
    endpoint = serve(GOOD)
    parser = APIParser("m", endpoint.url)
    assert parser.parse(INSTRUCTION) == SAILBOAT
    assert parser.note == parser.fallback_used == ""
    (request,) = endpoint.requests
    assert request["model"] == "m" and request["temperature"] == 0
    assert request["response_format"]["type"] == "json_schema"
    assert request["messages"][-1] == {"role": "user", "content": INSTRUCTION}
    assert endpoint.headers[0]["Authorization"] == f"Bearer {KEY}"


def test_a_server_without_key_and_an_address_from_the_environment(serve, monkeypatch):
    endpoint = serve(GOOD)
    monkeypatch.delenv("OPENAI_API_KEY")
    monkeypatch.setenv("OPENAI_BASE_URL", endpoint.url)
    assert APIParser("m").parse(INSTRUCTION) == SAILBOAT


@pytest.mark.parametrize(
    ("instruction", "targets", "expected"),
    [
        (
            "Turn the cat to 0.7*fire + 0.3*ice and the rest to snow",
            [("cat", "fire", 0.7), ("cat", "ice", 0.3), ("the rest", "snow", 1)],
            [("cat", "fire", 0.7), ("cat", "ice", 0.3), ("background", "snow", 1)],
        ),
        (
            "Turn the cat to 0.7*fire + 0.3*ice",
            [("cat", "0.7*fire + 0.3*ice", 1)],
            [("cat", "fire", 0.7), ("cat", "ice", 0.3)],
        ),
        ("Turn the cat to fire", [("cat", "fire")], [("cat", "fire", 1)]),
        ("Turn the man\u2019s hat red", [("man's hat", "red")], [("man\u2019s hat", "red", 1)]),
        ("Concatenate the Cat and fire", [("cat", "FIRE")], [("Cat", "fire", 1)]),
        ("把帆船变成星空", [("帆船", "星空")], [("帆船", "星空", 1)]),
        ("Make it gold", [("", "gold")], [("", "gold", 1)]),
        ("Make this photo gold", [("this photo", "gold")], [("", "gold", 1)]),
    ],
)
def test_answers_are_taken_as_targets(serve, instruction, targets, expected):
    answers = APIParser("m", serve(answer(*targets)).url).parse(instruction)
    assert [(t.object, t.style, t.weight) for t in answers] == expected


def test_exceptions_are_taken_in_the_instructions_spelling(serve):
    endpoint = serve(answer(("everything", "0.5*ice + 0.5*fire", 1, ["the cat", "cup"])))
    (ice, fire) = APIParser("m", endpoint.url).parse(
        "Turn everything but The Cat and the cup to 0.5*ice + 0.5*fire"
    )
    assert ice == StyleTarget("", "ice", 0.5, ("The Cat", "cup"))
    assert fire.exceptions == ("The Cat", "cup")


def test_the_question_shows_the_form_that_atelier_parse_prints(serve):
    endpoint = serve(GOOD)
    APIParser("m", endpoint.url).parse(INSTRUCTION)
    *messages, _ = endpoint.requests[0]["messages"]
    examples = [m["content"] for m in messages if m["role"] == "assistant"]
    for example in map(json.loads, examples):
        assert [entry_of(target_of(entry)) for entry in example] == example
    assert any("except" in example for example in examples)


ENTRY = '{"object": "white sailboat", "style": "art on fire"}'
DRAFT = '[{"object": "art", "style": "fire"}]'


@pytest.mark.parametrize(
    "text",
    [
        ENTRY,
        f"Here it is: {ENTRY}",
        f'{{"targets": [{ENTRY}]}}',
        f'{{"targets": {ENTRY}}}',
        f"```json\n[\n  {ENTRY}\n]\n```",
        f"Hm {{well}} [1]: {DRAFT}? No.\n```json\n[{ENTRY}]\n```.",
        f"{DRAFT}, or rather:\n{ENTRY}",
    ],
)
def test_targets_are_taken_out_of_what_surrounds_them(serve, text):
    assert APIParser("m", serve((200, completion(text))).url).parse(INSTRUCTION) == SAILBOAT


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ('{"targets": [{"object": "white sail', "without JSON"),
        ("I cannot do that.", "without JSON"),
        (None, "without JSON"),
        ("[" * 50_000 + '{"a":' * 50_000, "without JSON"),
        ('{"target": []}', "without JSON"),
        ('{"targets": []}', "listed no targets"),
        ('{"targets": {"object": "art"}}', "without JSON"),
        (f"[\n  {ENTRY}, {{", "without JSON"),
        (f"{ENTRY}\n{ENTRY}", "several objects outside of an array"),
        ("[]", "listed no targets"),
        ('[{"object": "art", "style": "fire", "except": "x"}]', "except is no list"),
        ('[{"object": "art", "style": "fire", "except": ["x"]}]', "exception is no part"),
        ('{"targets": ["art"]}', "without object and style"),
        ('{"targets": [{"subject": "art", "style": "fire"}]}', "without object and style"),
        ('{"targets": [{"object": 1, "style": "fire"}]}', "object is no text"),
        ('{"targets": [{"object": "", "style": " "}]}', "neither object nor style"),
        ('{"targets": [{"object": "ship", "style": "fire"}]}', "object is no part"),
        ('{"targets": [{"object": "sailboat", "style": "ice"}]}', "style is no part"),
        (f'{{"targets": [{{"object": "{KEY}", "style": "fire"}}]}}', "object is no part"),
        ('{"targets": [{"object": "", "style": "background"}]}', "style is no part"),
        ('{"targets": [{"object": "art", "style": "fire", "weight": NaN}]}', "weight"),
        ('{"targets": [{"object": "art", "style": "fire", "weight": true}]}', "weight"),
        (
            f'{{"targets": [{{"object": "art", "style": "fire", "weight": 1{"0" * 400}}}]}}',
            "weight",
        ),
    ],
)
def test_answers_that_do_not_fit_are_refused(serve, caplog, content, sentence):
    endpoint = serve((200, completion(content)))
    message = refused(APIParser("m", endpoint.url), caplog, sentence)
    assert endpoint.url in message
    beginning = " ".join((content or "").replace(KEY, "...").split())[:100]
    assert f"it answered {beginning!r}"[:-1] in message and len(message) < 450


@pytest.mark.parametrize("reply", ["<html>", "{", '"text"', "{}", '{"choices": []}', "null"])
def test_a_server_that_is_no_chat_endpoint_is_said(serve, caplog, reply):
    endpoint = serve((200, reply))
    refused(APIParser("m", endpoint.url, retries=0), caplog, "does not answer like a chat endpoint")


def test_a_server_without_schemas_is_asked_again_without(serve):
    endpoint = serve((400, {"error": {"message": "unknown field response_format"}}), GOOD)
    assert APIParser("m", endpoint.url).parse(INSTRUCTION) == SAILBOAT
    assert ["response_format" in request for request in endpoint.requests] == [True, False]


@pytest.mark.parametrize(
    ("status", "tries", "sentence"),
    [
        (400, 2, r"refuses the request \(400\)"),
        (401, 1, r"refuses the key in OPENAI_API_KEY.*\(401\)"),
        (404, 1, r"has no model 'm'.*\(404\)"),
        (429, 2, r"overloaded, or .*quota.*\(429\), after 2 attempts"),
        (500, 2, r"fails \(500\), after 2 attempts"),
    ],
)
def test_refusals_are_one_sentence_without_the_key(serve, caplog, status, tries, sentence):
    endpoint = serve((status, {"error": {"message": f"no good: {KEY}"}}))
    message = refused(APIParser("m", endpoint.url, retries=1), caplog, sentence)
    assert endpoint.url in message
    assert len(endpoint.requests) == tries


def test_a_busy_server_is_asked_again(serve):
    endpoint = serve((429, {}), (500, {}), GOOD)
    assert APIParser("m", endpoint.url, retries=2).parse(INSTRUCTION) == SAILBOAT
    assert len(endpoint.requests) == 3


def test_a_hang_ends(serve, caplog):
    endpoint = serve(("hang", None))
    start = time.perf_counter()
    refused(
        APIParser("m", endpoint.url, timeout=0.3, retries=0),
        caplog,
        "no answer within 0.3 s, in 1 attempt",
    )
    assert time.perf_counter() - start < 5


def test_nobody_there_is_said_without_password(serve, caplog, monkeypatch):
    endpoint = serve(GOOD)
    endpoint.stop()
    address = endpoint.url.replace("//", "//me:hushhush@") + "?token=hushhush"
    with pytest.raises(AtelierError, match="settings are written to files") as refusal:
        APIParser("m", address)
    assert "hushhush" not in str(refusal.value)
    monkeypatch.setenv("OPENAI_BASE_URL", address)  # which no file records
    message = refused(APIParser("m", retries=0), caplog, "cannot be reached")
    assert endpoint.url in message
    assert "hushhush" not in message


@pytest.mark.parametrize("url", ["127.0.0.1:8000/v1", "ftp://x/v1", "http://x:port/v1", "http://["])
def test_no_web_address_is_an_error_even_with_a_fallback(serve, caplog, url):
    refused(APIParser("m", url, fallback=TreeParser()), caplog, "no web address")


def test_a_key_that_http_cannot_carry_is_not_quoted(serve, caplog, monkeypatch):
    endpoint = serve(GOOD)
    monkeypatch.setenv("OPENAI_API_KEY", f"{KEY}\n")
    assert APIParser("m", endpoint.url).parse(INSTRUCTION) == SAILBOAT
    monkeypatch.setenv("OPENAI_API_KEY", f"{KEY}\nother\u00e9")
    refused(APIParser("m", endpoint.url), caplog, "OPENAI_API_KEY contains characters")


@pytest.mark.parametrize("settings", [{"model": " "}, {"timeout": 0}, {"retries": -1}])
def test_senseless_settings_are_refused(settings):
    with pytest.raises(AtelierError, match="APIParser"):
        APIParser(**{"model": "m", **settings})


def recorded(tmp_path, parser, instruction=INSTRUCTION):
    data = StylizationDataModule(
        image="skimage:chelsea",
        parser=parser,
        segmenter=WholePicture(),
        instruction=instruction,
        size=64,
    )
    data.setup()
    folder = WriteRun(tmp_path, "name", data.task, "config: 1\n")
    folder.write_task()
    return (tmp_path / "parse.json").read_text(encoding="utf-8")


def test_a_fallback_is_marked_in_the_run_and_in_the_log(serve, caplog, tmp_path):
    endpoint = serve((500, {"error": {"message": KEY}}), GOOD)
    parser = APIParser("m", endpoint.url, retries=0, fallback=TreeParser())
    caplog.set_level(logging.DEBUG)
    text = recorded(tmp_path, parser)
    (target,) = json.loads(text)
    note = target.pop("parser_note")
    assert target == {"object": "White Sailboat", "style": "art on fire"}
    assert note == parser.fallback_used
    assert "TreeParser was used" in note and "(500)" in note
    warnings = [r.getMessage() for r in caplog.records if r.levelno == logging.WARNING]
    assert note in warnings
    assert KEY not in text + caplog.text

    # The next instruction is answered, and the mark is gone.
    text = recorded(tmp_path, parser)
    assert json.loads(text) == [target]
    assert parser.fallback_used == ""


def test_a_run_with_a_fallback_can_be_scored(serve, tmp_path):
    endpoint = serve((404, {}))
    recorded(tmp_path, APIParser("m", endpoint.url, fallback=TreeParser()))
    (tmp_path / "output.png").write_bytes((tmp_path / "content.png").read_bytes())
    texts = []

    class Encoder(JointEncoder):
        identity = "ones"

        def view(self, image):
            return image

        def embed_images(self, images):
            return torch.ones(len(images), 1)

        def text_features(self, questions):
            texts.extend(questions)
            return torch.ones(len(questions), 1)

    scores = score_run(tmp_path, Encoder()).values
    assert scores["own_style_global.ones"] == pytest.approx(1)
    assert "art on fire" in texts


@pytest.mark.parametrize("reply", [(200, completion("no")), (401, {}), ("hang", None)])
def test_the_fallback_steps_in_for_every_failure(serve, reply):
    parser = APIParser("m", serve(reply).url, timeout=0.3, retries=0, fallback=TreeParser())
    assert parser.parse(INSTRUCTION) == SAILBOAT
    assert parser.fallback_used


def test_no_fallback_for_a_bad_instruction(serve):
    endpoint = serve(GOOD)
    parser = APIParser("m", endpoint.url, fallback=TreeParser())
    with pytest.raises(AtelierError, match="instruction is empty"):
        parser.parse(" ")
    assert not endpoint.requests and not parser.fallback_used
