"""The server of a study."""

import http.client
import json
import signal
import sqlite3
from concurrent.futures import ThreadPoolExecutor

import pytest

from datamodules.support.errors import AtelierError
from evaluation.study.answer_key import read_key
from evaluation.study.server import LARGEST_BODY, StudyServer
from evaluation.study.votes import QUESTIONS, Vote
from tests.support.cli import start


def ask(server, method, path, body=None, **headers):
    """Status and JSON (or the page's text) of one request."""
    connection = http.client.HTTPConnection(*server.server_address, timeout=10)
    if body is not None and not isinstance(body, bytes):
        body = json.dumps(body).encode()
    values = {name.replace("_", "-"): value for name, value in headers.items()}
    kind = {"Content-Type": "application/json"} if method == "POST" else {}
    connection.request(method, path, body, {**kind, **values})
    response = connection.getresponse()
    text = response.read().decode()
    connection.close()
    is_json = response.headers.get_content_type() == "application/json"
    return response.status, json.loads(text) if is_json else text


def test_parallel_votes_are_all_kept(served_study, study):
    pairs = list(read_key(study).pairs)
    votes = [
        Vote(f"rater-{r}", pair, question, "AB"[r % 2])
        for r in range(8)
        for pair in pairs
        for question in QUESTIONS
    ]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda v: ask(served_study, "POST", "/votes", v._asdict()), votes))
    assert answers == [(200, {"stored": True})] * len(votes)
    with sqlite3.connect(study / "votes.sqlite") as file:
        rows = file.execute("SELECT rater, pair, question, answer FROM votes").fetchall()
    assert sorted(rows) == sorted(map(tuple, votes))
    _, own = ask(served_study, "GET", "/votes?rater=rater-3")
    assert len(own["votes"]) == 12
    assert all(vote["answer"] == "B" and "rater" not in vote for vote in own["votes"])


def test_the_server_refuses_what_is_no_vote(served_study, study):
    good = Vote("anna", next(iter(read_key(study).pairs)), "style", "A")._asdict()
    cases = {
        400: [good | change for change in ({"pair": "x"}, {"question": "x"}, {"answer": "x"})]
        + [good | {"rater": "a"}, good | {"rater": "a b c d"}, good | {"answer": None}]
        + [good | {"more": "x"}, [], b"{", b"\xff", b"[" * 4000, {}],
        413: [b" " * (LARGEST_BODY + 1), b" " * 200_000],
    }
    for status, bodies in cases.items():
        for body in bodies:
            assert ask(served_study, "POST", "/votes", body)[0] == status, body
    refused = [
        (403, {"Origin": "https://elsewhere.example"}),
        (403, {"Origin": "null"}),
        (403, {"Host": "rebound.example:80"}),
        (415, {"Content_Type": "text/plain"}),
        (400, {"Origin": "http://[", "Host": "localhost"}),
    ]
    for status, headers in refused:
        assert ask(served_study, "POST", "/votes", good, **headers)[0] == status, headers
    assert served_study.store.votes() == []
    own = f"127.0.0.1:{served_study.server_port}"
    assert ask(served_study, "POST", "/votes", good, Host=own, Origin=f"http://{own}")[0] == 200
    served_study.origins.add("study.example.org")
    assert ask(served_study, "POST", "/votes", good, Origin="https://study.example.org")[0] == 200


def test_the_server_shows_the_page_and_nothing_else(served_study, study):
    status, page = ask(served_study, "GET", "/")
    assert (status, page) == (200, (study / "index.html").read_text())
    assert ask(served_study, "HEAD", "/index.html")[0] == 200
    ask(served_study, "GET", "/votes?rater=anna")
    for path in ("/study.json", "/votes.sqlite", "/../study.json", "/%2e%2e/", "//[", "/votes/x"):
        assert ask(served_study, "GET", path)[0] in (400, 404), path
    assert ask(served_study, "GET", "/votes")[0] == 400
    assert ask(served_study, "GET", "/votes?rater=%27--")[0] == 400
    assert ask(served_study, "DELETE", "/votes")[0] == 501


def test_serve_stops_cleanly_and_says_when_the_port_is_taken(study, tmp_path):
    process = start("study", "serve", study, "--port", 0, cwd=tmp_path)
    try:
        port = process.stdout.readline().strip().rstrip("/").rpartition(":")[2]
        with pytest.raises(AtelierError, match="choose another --port"):
            StudyServer(study, port=int(port))
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=20)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 0, errors
    assert "Traceback" not in errors
