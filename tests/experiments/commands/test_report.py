"""`atelier report`."""

import re

import pytest

from experiments.cli import main


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["nowhere"], "no folder nowhere"),
        (["empty"], "empty"),
        (["bad"], "parsers.json"),
        (["empty", "--loud"], "has no option --loud"),
        ([], "DIR"),
    ],
)
def test_bad_input_is_said_in_one_line(arguments, sentence, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "parsers.json").write_text("[1]")
    assert main(["report", *arguments]) == 2
    streams = capsys.readouterr()
    assert streams.out == ""
    assert re.search(sentence, streams.err), streams.err
    assert not (tmp_path / "report").exists()
