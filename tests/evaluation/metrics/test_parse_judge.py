"""Judgements of parses by a language model."""

import json
import logging

import pytest

from datamodules.support.chat import EndpointError
from datamodules.support.errors import AtelierError
from evaluation.metrics.parse_judge import Judge, Judgement
from tests.support.parses import PARSED, SAILBOAT, SKY, judged
from tests.support.servers import KEY, completion


def test_a_judgement_is_asked_once(serve, judgement_cache):
    endpoint = serve(judged(9.5))
    first = Judge("m", endpoint.url).judge(SAILBOAT, PARSED)
    assert first == Judge("m", endpoint.url).judge(SAILBOAT, PARSED)
    assert first == Judgement(9.5, "All is there.")
    (request,) = endpoint.requests
    assert request["temperature"] == 0
    rubric, question = (message["content"] for message in request["messages"])
    assert "0 to 10" in rubric and "white sailboat" in question
    assert json.loads(question) == {
        "instruction": SAILBOAT,
        "answer": [{"object": "white sailboat", "style": "art on fire"}],
    }
    (file,) = (judgement_cache / "judge").iterdir()
    assert json.loads(file.read_text())["score"] == 9.5


@pytest.mark.parametrize("change", ["model", "answer", "instruction", "rubric", "endpoint"])
def test_what_the_judgement_depends_on_is_asked_anew(serve, judgement_cache, monkeypatch, change):
    endpoint = serve(judged(5))
    Judge("m", endpoint.url).judge(SAILBOAT, PARSED)
    judge = Judge("n" if change == "model" else "m", endpoint.url)
    other = serve(judged(5))
    if change == "endpoint":
        judge = Judge("m", other.url)
    if change == "rubric":
        judge.__dict__["rubric"] = "Give 5."
    text = SKY if change == "instruction" else SAILBOAT
    judge.judge(text, [] if change == "answer" else PARSED)
    assert len(endpoint.requests + other.requests) == 2


@pytest.mark.parametrize("damage", ["", "{", "[]", '{"score": 11, "reason": ""}', '{"score": 5}'])
def test_a_damaged_judgement_is_asked_anew(serve, judgement_cache, damage):
    endpoint = serve(judged(5))
    judge = Judge("m", endpoint.url)
    judge.judge(SAILBOAT, PARSED)
    (file,) = (judgement_cache / "judge").iterdir()
    whole = file.read_text()
    file.write_text(damage)
    assert judge.judge(SAILBOAT, PARSED).score == 5
    assert file.read_text() == whole and len(endpoint.requests) == 2


@pytest.mark.parametrize(
    "content",
    [
        "10 of 10",
        None,
        '{"score": "9"}',
        '{"score": 11}',
        '{"score": -1}',
        '{"score": NaN}',
        '{"score": true}',
        f'{{"score": 1{"0" * 400}}}',
        "{" * 50_000,
    ],
)
def test_junk_is_no_judgement(serve, judgement_cache, content):
    endpoint = serve((200, completion(content)))
    with pytest.raises(AtelierError, match="gave no score from 0 to 10") as refusal:
        Judge("m", endpoint.url, retries=1).judge(SAILBOAT, PARSED)
    assert not isinstance(refusal.value, EndpointError)
    assert len(endpoint.requests) == 2 and not list((judgement_cache / "judge").iterdir())


def test_junk_is_followed_by_another_try(serve, judgement_cache):
    endpoint = serve((200, completion("hm")), judged(6))
    assert Judge("m", endpoint.url).judge(SAILBOAT, PARSED).score == 6


@pytest.mark.parametrize("content", [f'{{"score": 5, "reason": "I got {KEY}"}}', KEY])
def test_the_judges_key_goes_nowhere(serve, judgement_cache, caplog, content):
    caplog.set_level(logging.DEBUG)
    endpoint = serve((200, completion(content)))
    judge, words = Judge("m", endpoint.url, retries=0), ""
    try:
        words = str(judge.judge(SAILBOAT, PARSED))
    except AtelierError as error:
        words = str(error)
    files = [path.read_text() for path in judgement_cache.rglob("*.json")]
    assert endpoint.headers[0]["Authorization"] == f"Bearer {KEY}"
    assert all(KEY not in text for text in (words, caplog.text, str(vars(judge)), *files))


def test_a_cache_that_cannot_be_made_is_said_before_asking(serve, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("ATELIER_CACHE", str(tmp_path / "file" / "cache"))
    with pytest.raises(AtelierError, match="set ATELIER_CACHE"):
        Judge("m", serve(judged(5)).url)
