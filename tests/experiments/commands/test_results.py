"""`atelier results`: every way out."""

import csv
import io
import json
import random
import re
import statistics

import duckdb
import pytest

from evaluation.tables.runs import consolidate, read_runs
from experiments.commands import results
from tests.support.scored_runs import failed_folder, run_folder

NASTY = "100% \"fire\"; DROP TABLE runs; -- 'x' <b>_ø_</b> \\ & # $1 | {x} ~^[red] 火\n\t*a*"


def from_csv(text):
    return list(csv.DictReader(io.StringIO(text, newline="")))


def from_markdown(text):
    lines = [re.split(r"(?<!\\)\|", line)[1:-1] for line in text.splitlines()]
    rows = [[re.sub(r"\\(.)", r"\1", cell.strip()) for cell in line] for line in lines]
    return rows[0], rows[2:]


def from_parquet(path):
    with duckdb.connect() as connection:
        table = connection.execute("SELECT * FROM read_parquet($p)", {"p": str(path)})
        names = [column[0] for column in table.description]
        return [dict(zip(names, row, strict=True)) for row in table.fetchall()]


@pytest.mark.parametrize(
    ("file", "content", "words"),
    [
        ("result.json", b"", "result.json is damaged"),
        ("result.json", b'{"metrics": {"leakage": 0.1', "result.json is damaged"),
        ("result.json", b"\xff\xfe\x00", "result.json is damaged"),
        ("result.json", b"[1]", "result.json is damaged"),
        ("result.json", b'{"metrics": [1]}', "result.json is damaged"),
        ("result.json", None, "result.json is damaged"),
        ("job.json", b"{", "job.json is damaged"),
        ("job.json", b'{"labels": 7}', "job.json is damaged"),
        ("job.json", b'{"set": "demo"}', "job.json is damaged"),
    ],
)
def test_a_damaged_run_is_left_out_and_the_others_are_read(cli, tmp_path, file, content, words):
    for name in ("bad", "good", "well"):
        run_folder(tmp_path / name, {"method": "a"}, {"leakage": 0.5})
    (tmp_path / "bad" / file).unlink()
    if content is None:
        (tmp_path / "bad" / file).symlink_to("nowhere")
    else:
        (tmp_path / "bad" / file).write_bytes(content)
    runs = {run.folder: run for run in read_runs(tmp_path)}
    assert words in runs["bad"].failure
    assert runs["good"].failure == runs["well"].failure == ""
    assert runs["well"].metrics == {"leakage": 0.5}
    code, out, err = cli("results", tmp_path, "--format", "csv")
    assert code == 0
    assert from_csv(out)[0]["n"] == "2"
    kind = "open" if file == "result.json" else "failed"
    assert f"1 {kind} run is left out; e.g." in err
    assert words in err


def test_failed_and_unfinished_runs(cli, tmp_path):
    run_folder(tmp_path / "done", {"method": "a"}, {"leakage": 0.5})
    again = run_folder(tmp_path / "again", {"method": "a"}, {"leakage": 0.5})
    (again / "failure.json").write_text('{"reason": "the first try"}')
    failed_folder(tmp_path / "failed/1", {"method": "b"})
    failed_folder(tmp_path / "failed/2", {"method": "b"})
    (tmp_path / "pending").mkdir()
    (tmp_path / "pending/job.json").write_text('{"labels": {"method": "c"}}')
    inside = tmp_path / "done/steps"
    run_folder(inside, {"method": "no run"})
    runs = {run.folder: run.failure for run in read_runs(tmp_path)}
    expected = {"done": "", "again": "", "failed/1": "out of memory", "failed/2": "out of memory"}
    assert runs == expected
    code, out, err = cli("results", tmp_path, "--format", "csv", "--by", "method")
    assert code == 0
    assert [row["method"] for row in from_csv(out)] == ["a"]
    last = f"2 failed runs are left out; e.g. {tmp_path / 'failed/1'}: out of memory"
    assert err.splitlines()[-1] == last
    code, out, err = cli("results", tmp_path, "--where", "method=b")
    assert (code, out) == (2, "")
    assert "All 2 runs have failed" in err


def test_names_are_never_patterns_nor_commands(cli, tmp_path):
    name = NASTY.replace("/", "").replace("\n", "").replace("\t", "")
    labels = {"method": "a'b\"c", "style": NASTY, '"; DROP TABLE x': 1, "%s_$1": "?"}
    for place in (f"{name}/r*", f"{name}/r1", "~/[a]", "http:/x"):
        run_folder(tmp_path / place, labels, {"leakage": 0.25, NASTY: 1})
    runs = read_runs(tmp_path)
    assert [run.labels for run in runs] == [labels] * 4
    assert {run.folder for run in runs} == {f"{name}/r*", f"{name}/r1", "~/[a]", "http:/x"}
    assert all(run.metrics == {"leakage": 0.25, NASTY: 1} for run in runs)
    consolidate(tmp_path)
    assert read_runs(tmp_path) == runs
    code, out, _ = cli("results", tmp_path, "--where", f"style={NASTY}", "--each", "--format=csv")
    assert code == 0
    assert [row["style"] for row in from_csv(out)] == [NASTY] * 4
    path = tmp_path / "out's [1].parquet"
    assert cli("results", tmp_path, "--each", "--metrics=all", "-o", path)[0] == 0
    assert [row["style"] for row in from_parquet(path)] == [NASTY] * 4
    assert [row['"; DROP TABLE x'] for row in from_parquet(path)] == [1] * 4
    assert [row[NASTY] for row in from_parquet(path)] == [1] * 4


def test_two_thousand_runs_give_the_right_table(cli, tmp_path):
    chance, expected = random.Random(0), {}
    for k in range(2000):
        method, tau = f"m{k % 4}", (0.6, 0.7)[k // 4 % 2]
        labels = {"method": method, "picture": f"p{k % 25}", "seed": k // 200, "model.tau": tau}
        value = None if k % 10 == 9 else chance.random()
        folder = tmp_path / f"runs/{k // 100}/{k}"
        run_folder(folder, labels, {"leakage": value, "style_patch.x": k})
        expected.setdefault((method, str(tau)), []).append(value)
    code, out, _ = cli("results", tmp_path / "runs", "--format", "csv")
    rows = {(row["method"], row["model.tau"]): row for row in from_csv(out)}
    assert code == 0
    assert list(rows) == sorted(expected)
    for key, values in expected.items():
        numbers = [value for value in values if value is not None]
        assert float(rows[key]["leakage_mean"]) == pytest.approx(statistics.mean(numbers))
        assert float(rows[key]["leakage_sd"]) == pytest.approx(statistics.stdev(numbers))
        assert int(rows[key]["leakage_n"]) == len(numbers)
        assert int(rows[key]["n"]) == len(values) == 250
    consolidate(tmp_path / "runs")
    assert cli("results", tmp_path / "runs", "--format", "csv")[1] == out


def test_a_table_for_people(cli, two_methods):
    code, out, err = cli("results", two_methods, "--metrics", "leakage,style_patch,dists,seconds")
    assert code == 0
    head, network, _, first, second = [line for line in out.splitlines() if line.strip()]
    assert re.search(r"style_patch", head)
    assert re.search(r"method +n +leakage ↓ +bridge-lite2 ↑ +dists ↓ +seconds ↓", network)
    assert " ".join(first.split()) == "sem_cs 2 0.3 (n=1) 0.2 ± 0 - 40 ± 0"
    assert " ".join(second.split()) == "soulstyler 3 0.30 ± 0.26 0.2 ± 0 - 40 ± 0"
    bold, unavailable = err.splitlines()
    assert "None is bold" in bold
    assert unavailable == "dists: unavailable in 2 of 5 runs: no weights"


def test_the_best_is_bold_where_its_lead_exceeds_its_interval(cli, tmp_path, monkeypatch):
    monkeypatch.delenv("NO_COLOR", raising=False)
    for method, worse in (("a", 0), ("b", 0.1)):
        for seed in range(4):
            chance = (seed * 7 % 4 + (method == "a") * seed) / 10
            scores = {"leakage": seed + worse + seed / 100, "mesh": chance, "object_change": worse}
            run_folder(tmp_path / f"{method}{seed}", {"method": method, "seed": seed}, scores)
    words = ["results", tmp_path, "--metrics", "leakage,mesh,object_change"]
    result = cli(*words, terminal=True, TERM="xterm-256color")
    assert "\x1b[1m1.5 ± 1.3\x1b[0m" in result.stdout
    rows = result.stdout.split("─\n")[-1]  # the head is bold, too
    assert rows.count("\x1b[1m") == 1
    assert "paired t-test over equal pictures, styles and seeds, n = 4" in result.stderr
    assert "bold" not in cli(*words, "--each").stderr


def test_usual_scores_are_those_that_there_are(cli, two_methods):
    out = cli("results", two_methods, "--format", "json").stdout
    rows = json.loads(out)
    usual = ["style_patch.bridge-lite2", "leakage", "seconds"]
    assert [list(row["metrics"]) for row in rows] == [usual] * 2
    assert rows[0]["labels"] == {"method": "sem_cs"}
    assert rows[0]["metrics"]["leakage"] == {"mean": 0.3, "sd": None, "n": 1}
    assert rows[1]["n"] == 3
    out = cli("results", two_methods, "--metrics", "all", "--format", "json").stdout
    everything = ["dists", "leakage", "object_change", "seconds", "style_patch.bridge-lite2"]
    assert list(json.loads(out)[0]["metrics"]) == everything


def test_csv_is_exact(cli, two_methods):
    code, out, _ = cli("results", two_methods, "--metrics=leakage,dists", "--format=csv")
    first, second = from_csv(out)
    assert code == 0
    assert (first["method"], first["n"], first["leakage_n"]) == ("sem_cs", "2", "1")
    assert (first["leakage_mean"], first["leakage_sd"], first["dists_mean"]) == ("0.3", "-", "-")
    assert float(second["leakage_mean"]) == statistics.fmean([0.1, 0.2, 0.6])
    assert float(second["leakage_sd"]) == statistics.stdev([0.1, 0.2, 0.6])
    out = cli("results", two_methods, "--metrics=leakage", "--format=csv", "--each").stdout
    assert [row["leakage"] for row in from_csv(out)] == ["0.3", "-", "0.1", "0.2", "0.6"]
    assert [row["folder"] for row in from_csv(out)] == ["b/0", "b/1", "a/0", "a/1", "a/2"]
    assert {row["model.tau"] for row in from_csv(out)} == {"0.7"}


def test_parquet_has_types(cli, two_methods):
    path = two_methods / "sub/groups.parquet"
    code, out, _ = cli("results", two_methods, "--metrics=leakage", "--by=style,method", "-o", path)
    assert (code, out) == (0, "")
    first, second = from_parquet(path)
    assert first["style"] == "fire"
    assert first["leakage_mean"] == statistics.fmean([0.1, 0.2, 0.6])
    assert second == {
        "style": "snow",
        "method": "sem_cs",
        "n": 2,
        "leakage_mean": 0.3,
        "leakage_sd": None,
        "leakage_n": 1,
    }
    path = path.with_name("each.parquet")
    assert cli("results", two_methods, "--each", "-o", path)[0] == 0
    rows = from_parquet(path)
    assert [row["seed"] for row in rows] == [0, 1, 0, 1, 2]
    assert [row["leakage"] for row in rows] == [0.3, None, 0.1, 0.2, 0.6]
    assert {row["model.tau"] for row in rows} == {0.7}


def test_columns_of_one_name_are_told_apart(cli, tmp_path):
    for k, mixed in enumerate((1, "x", True)):
        labels = {"method": "a", "seconds": 5, "Leakage": k, "n": "text", "mixed": mixed, "": "e"}
        run_folder(tmp_path / "runs" / str(k), labels, {"leakage": 0.5})
    path = tmp_path / "each.parquet"
    assert cli("results", tmp_path / "runs", "--each", "-o", path)[0] == 0
    rows = from_parquet(path)
    assert {(row["seconds"], row["seconds_"], row["leakage_"]) for row in rows} == {(5, 40.0, 0.5)}
    assert {row["mixed"] for row in rows} == {"1", "x", "true"}
    assert {row["n"] for row in rows} == {"text"}
    assert sorted(row["Leakage"] for row in rows) == [0, 1, 2]


def test_markdown_shows_every_label_as_it_is(cli, two_methods):
    run_folder(two_methods / "c", {"method": NASTY, "style": "x"}, {"leakage": 0.2})
    code, out, _ = cli("results", two_methods, "--metrics=leakage,style_patch", "--format=markdown")
    head, rows = from_markdown(out)
    assert code == 0
    assert head == ["method", "model.tau", "n", "leakage ↓", "style_patch.bridge-lite2 ↑"]
    assert out.splitlines()[1] == "| :--- | ---: | ---: | ---: | ---: |"
    assert rows[0] == [" ".join(NASTY.split()), "-", "1", "0.2", "-"]
    assert rows[1] == ["sem_cs", "0.7", "2", "0.3 (n=1)", "0.2 ± 0"]
    assert rows[2] == ["soulstyler", "0.7", "3", "0.30 ± 0.26", "0.2 ± 0"]
    assert "| sem_cs |" in out  # within a word an underscore is nothing to escape
    assert r"\<b\>\_ø\_\</b\>" in out


def test_latex_has_headings_in_words_and_a_float_of_the_width(cli, two_methods):
    run_folder(two_methods / "c", {"method": "a_b & 50% \\x"}, {"leakage": 0.2, "quality": -2})
    arguments = ("--by=method", "--columns=Leakage,quality,time", "--format=latex")
    code, out, _ = cli("results", two_methods, *arguments)
    assert code == 0
    assert out.splitlines()[1] == r"\begin{table}[t]"
    assert r"\label{tab:runs}" in out
    time = r"\begin{tabular}[b]{@{}r@{}}Time \\ (s) $\downarrow$\end{tabular}"
    assert out.splitlines()[7:] == [
        r"\begin{tabular}{@{}lrrrr@{}}",
        r"\toprule",
        rf"Method & Runs & Leakage $\downarrow$ & Quality & {time} \\",
        r"\midrule",
        r"a\_b \& 50\% \textbackslash{}x & 1 & 0.2 & $-$2 & 40 \\",
        r"Sem-CS & 2 & 0.3 {\scriptsize(n=1)} & - & 40\,{\scriptsize$\pm$\,0} \\",
        r"Soulstyler & 3 & 0.30\,{\scriptsize$\pm$\,0.26} & - & 40\,{\scriptsize$\pm$\,0} \\",
        r"\bottomrule",
        r"\end{tabular}",
        r"\end{table}",
    ]
    words = ("--width=text", "--caption=Ours & theirs", "--label=x y")
    out = cli("results", two_methods, *arguments, *words).stdout
    assert r"\begin{table*}[t]" in out
    assert r"\caption{Ours \& theirs}" in out
    assert r"\label{tab:x-y}" in out


def test_columns_are_chosen_by_key_and_by_heading(cli, two_methods):
    def columns(by, names):
        code, out, err = cli("results", two_methods, "--by", by, "--metrics", names, "--format=csv")
        assert code == 0, err
        return [name for name in from_csv(out)[0] if not re.search("_(sd|n)$", name)]

    judged = "style_patch.bridge-lite2_mean"
    assert columns("method", "style_patch") == ["method", "n", judged]
    headings = "Time,style of patches · bridge-lite2,LEAKAGE,style of patches"
    assert columns("method", headings) == ["method", "n", "seconds_mean", judged, "leakage_mean"]
    assert columns("Threshold t", "leakage")[0] == "model.tau"


def test_scores_of_a_users_own_metric_are_usual_ones(cli, two_methods):
    run_folder(two_methods / "c", {"method": "own"}, {"glow.of-mine": 3.0, "mesh": 1.0})
    out = cli("results", two_methods, "--format", "json").stdout
    usual = ["style_patch.bridge-lite2", "leakage", "glow.of-mine", "seconds"]
    assert list(json.loads(out)[0]["metrics"]) == usual


@pytest.mark.parametrize("ending", ["csv", "json", "md", "tex", "txt"])
def test_a_file_holds_what_would_be_printed(cli, two_methods, ending):
    path = two_methods / f"new/table.{ending}"
    assert cli("results", two_methods, "-o", path)[:2] == (0, "")
    formats = {"md": "markdown", "tex": "latex", "txt": "table"}
    printed = cli("results", two_methods, "--format", formats.get(ending, ending)).stdout
    assert path.read_text() == printed
    assert "soulstyler" in printed.casefold()


def test_runs_are_chosen_by_their_labels(cli, two_methods):
    def seeds(*where):
        code, out, err = cli("results", two_methods, "--each", "--format=csv", "--where", *where)
        assert code == 0, err
        return [(row["method"], row["seed"]) for row in from_csv(out)]

    assert seeds("style=snow") == [("sem_cs", "0"), ("sem_cs", "1")]
    assert seeds("seed=1", "model.tau=0.70") == [("sem_cs", "1"), ("soulstyler", "1")]
    assert seeds("seed=0", "seed=2", "--where", "style=fire") == [
        ("soulstyler", "0"),
        ("soulstyler", "2"),
    ]
    assert len(seeds("set=demo")) == 5
    out = cli("results", two_methods, "--by", "", "--metrics=seconds", "--format=csv").stdout
    assert from_csv(out) == [
        {"n": "5", "seconds_mean": "40.0", "seconds_sd": "0.0", "seconds_n": "5"}
    ]
    out = cli("results", two_methods, "--by", "style,encoder", "--format=csv").stdout
    assert [row["encoder"] for row in from_csv(out)] == ["bridge-lite0"] * 2


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--by", "methods"], "There is no label 'methods'.*did you mean method"),
        (["--metrics", "leek"], "There is no score 'leek'.*there are dists, leakage"),
        (["--where", "styel=fire"], "There is no label 'styel'.*did you mean style"),
        (["--where", "style=fier"], "No run has style=fier; there are.*did you mean fire"),
        (["--where", "seed=x"], "No run has seed=x; there are 0, 1, 2"),
        (["--where", "style"], "'style' is not LABEL=VALUE"),
        (["--where", "style=snow", "seed=2"], "No run has all of style=snow, seed=2"),
        (["--format", "parquet"], "give a file with -o"),
        (["--format", "excel"], "invalid choice: 'excel'"),
        (["--format", "latex", "--width", "wide"], "--width is 'wide'; give column, text, or 100"),
        (["--colour", "red"], "has no option --colour"),
        (["-o", "{dir}/results.parquet"], "is where --consolidate puts its rows"),
        (["-o", "{dir}/a/0/result.json/x.csv"], "Cannot write"),
    ],
)
def test_requests_that_make_no_sense_are_one_sentence(cli, two_methods, arguments, words):
    arguments = [word.format(dir=two_methods) for word in arguments]
    code, out, err = cli("results", two_methods, *arguments)
    assert (code, out) == (2, "")
    assert re.search(words, err.splitlines()[0] if "Cannot" not in words else err)
    assert "Traceback" not in err


def test_a_folder_without_runs_is_one_sentence(cli, tmp_path):
    for path, words in (
        (tmp_path, "holds no finished run"),
        (tmp_path / "x", "There is no folder"),
    ):
        code, out, err = cli("results", path)
        assert (code, out, err.count("\n")) == (2, "", 1)
        assert words in err


def test_the_page_of_help_says_how(cli):
    assert results.__doc__.splitlines()[0] in cli("results", "--help").stdout
