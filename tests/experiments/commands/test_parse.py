"""`atelier parse`."""

import json

import pytest

from datamodules.parsing import language_models
from experiments.cli import main
from tests.support.cli import assert_refused
from tests.support.endpoints import GOOD, INSTRUCTION


def test_parse_prints_json_alone(cli, tmp_path):
    result = cli("parse", "Turn the white sailboat into a mosaic")
    assert result.returncode == 0
    assert json.loads(result.stdout) == [{"object": "white sailboat", "style": "mosaic"}]
    assert result.stderr == ""


def test_a_model_cache_that_cannot_be_made_is_said(cli, tmp_path, monkeypatch):
    load_anew = language_models.load_smollm2.__wrapped__
    monkeypatch.setitem(language_models.EMBEDDED, "smollm2", load_anew)
    (tmp_path / "file").write_text("in the way")
    result = cli("parse", "paint the piano baroque", ATELIER_CACHE="file/cache")
    assert_refused(result, "set ATELIER_CACHE")


def test_parse_reads_lines_from_stdin_and_answers_each(cli, tmp_path):
    lines = "Turn the cat into a mosaic\n\nPaint the house as a sketch with crayon\n"
    result = cli("parse", "-", stdin=lines)
    first, empty, third = (json.loads(line) for line in result.stdout.splitlines())
    assert first == [{"object": "cat", "style": "mosaic"}]
    assert empty == []
    assert third[0]["object"] == "house"
    assert result.returncode == 2
    assert "line 2" in result.stderr


def test_the_command_takes_a_parser_by_name(serve, capsys):
    endpoint = serve(GOOD)
    assert main(["parse", INSTRUCTION, "--parser", "rules"]) == 0
    api = ["--parser", "api:m", "--base-url", endpoint.url]
    assert main(["parse", INSTRUCTION, *api]) == 0
    first, second = map(json.loads, capsys.readouterr().out.splitlines())
    assert first == second == [{"object": "White Sailboat", "style": "art on fire"}]


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--parser", "api"], "needs the name of a model; write api:NAME"),
        (["--parser", "rules", "--model", "m"], "has no option --model"),
        (["--parser", "rule"], "did you mean rules?"),
    ],
)
def test_the_command_refuses_what_does_not_fit(capsys, options, sentence):
    assert main(["parse", INSTRUCTION, *options]) == 2
    talk = capsys.readouterr()
    assert talk.out == "" and sentence in talk.err and talk.err.count("\n") == 1
