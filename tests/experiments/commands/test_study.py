"""`atelier study`."""

import csv
import io
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


def test_scores_are_written_for_machines_and_for_papers(study, tmp_path, capsys):
    key, file = read_key(study), tmp_path / "votes.json"
    votes = [{"pair": pair, "question": "style", "answer": "A"} for pair in key.pairs]
    file.write_text(json.dumps({"study": key.study, "rater": "anna", "votes": votes}))
    score = ["study", "score", str(study), str(file)]
    assert main([*score, "--format", "csv"]) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert [row["question"] for row in rows] == ["style"] * 3 + ["photo"] * 3
    assert {row["system"] for row in rows} == set(SYSTEMS)
    assert main([*score, "--json"]) == 0
    expected = json.loads(capsys.readouterr().out)["questions"]["style"]
    for row, exact in zip(rows, expected, strict=False):
        assert row["system"] == exact["system"]
        assert float(row["score"]) == exact["score"]
        assert float(row["share"]) == exact["share"]
    assert (rows[3]["share"], rows[3]["interval"]) == ("-", "")  # nobody was asked
    out = tmp_path / "votes.tex"
    assert main([*score, "-o", str(out)]) == 0
    written = out.read_text()
    assert written.count(r"\begin{table}[t]") == written.count(r"\toprule") // 2 == 2
    assert r"\caption{Which shows the style better? 6 votes of 1 rater." in written
    assert r"\label{tab:study-style}" in written
    assert rf"{expected[0]['system']} & " in written
    assert r"95\% interval" in written.replace(r" \\ ", " ")
    assert main([*score, "-o", "x.parquet"]) == 2
    assert "give one of table, csv" in capsys.readouterr().err


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
    streams = capsys.readouterr()
    assert streams.out == ""
    assert re.search(sentence, streams.err), streams.err
    assert streams.err.count("\n") == 1
