"""`atelier study`."""

import json
import re

import pytest

from evaluation.study.answer_key import read_key
from experiments.cli import main
from tests.support.studies import SYSTEMS


def test_the_command_makes_and_scores(study_runs, tmp_path, capsys):
    out = tmp_path / "study"
    assert main(["study", "make", "--pairs", "5", "--out", str(out), str(study_runs)]) == 0
    assert capsys.readouterr().out == f"{out / 'index.html'}\n"
    key, file = read_key(out), tmp_path / "votes.json"
    assert len(key.pairs) == 5
    assert main(["study", "score", str(out)]) == 2
    assert "no votes" in capsys.readouterr().err
    votes = [{"pair": pair, "question": "photo", "answer": "same"} for pair in key.pairs]
    file.write_text(json.dumps({"study": key.study, "rater": "anna", "votes": votes}))
    assert main(["study", "score", str(out), str(file)]) == 0
    table = capsys.readouterr().out
    assert all(name in table for name in (*SYSTEMS, "50.0%", "5 votes of 1 rater.", "Wilson"))
    assert main(["study", "score", str(out), "--json", str(file)]) == 0
    rows = json.loads(capsys.readouterr().out)["questions"]["photo"]
    assert [row["share"] for row in rows] == [0.5] * 3
    assert sum(row["of_all"] for row in rows) == pytest.approx(1)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["make", "nowhere"], "no finished run at nowhere"),
        (["make", "=x"], "NAME=FOLDER"),
        (["make", "x", "--pairs", "0"], "give 1 or more"),
        (["make", "x", "--loud"], "has no option --loud"),
        (["make"], "RUN"),
        ([], "ACTION"),
        (["serve", "nowhere"], "no study at nowhere"),
        (["serve", "nowhere", "too"], "takes no word 'too'"),
        (["score", "nowhere"], "no study at nowhere"),
    ],
)
def test_bad_input_is_said_in_one_line(arguments, sentence, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["study", *arguments]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert re.search(sentence, said.err), said.err
    assert said.err.count("\n") == 1
