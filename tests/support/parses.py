"""Helpers of the tests of parse score."""

import json

import pytest

from datamodules.task import StyleTarget
from experiments.cli import main
from tests.support.servers import completion

SAILBOAT = "Turn the white sailboat to the art on fire"


def targets(*pairs):
    return [StyleTarget(*pair) for pair in pairs]


SKY = "Turn the sky to snow and the boat to fire"


def judged(score, reason="All is there."):
    return 200, completion(json.dumps({"score": score, "reason": reason}))


@pytest.fixture
def judgement_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("ATELIER_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


PARSED = targets(("white sailboat", "art on fire"))


def evaluated(capsys, *options):
    """Exit code, what --json printed, and what was said on stderr."""
    code = main(["evaluate-parsers", "--json", *map(str, options)])
    talk = capsys.readouterr()
    return code, json.loads(talk.out) if talk.out else None, talk.err
