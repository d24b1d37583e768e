"""`atelier results`: what is read of many runs, how it is put together, and every way out."""

import csv
import io
import json
import logging
import math
import os
import random
import re
import statistics
import subprocess
import sys
from pkgutil import resolve_name

import duckdb
import pytest
import yaml

from datamodules.support.errors import AtelierError
from evaluation.tables.groups import best, grouped, summary, usual_labels
from evaluation.tables.meanings import SUITES, bare, direction, meanings, stem
from evaluation.tables.runs import CONSOLIDATED, consolidate, read_runs
from experiments.commands import results
from tests.support.cli import ROOT
from tests.support.run_folders import write_run

NASTY = "100% \"fire\"; DROP TABLE runs; -- 'x' <b>_ø_</b> \\ & # $1 | {x} ~^[red] 火\n\t*a*"


def run_folder(folder, labels=None, metrics=None, job=None, **more):
    """A finished run as a bench leaves it; without labels, as `atelier stylize` does."""
    result = {"method": "Soulstyler", "encoder": "bridge-lite0", "seed": 0}
    result |= {"metrics": metrics or {}, "seconds": {"load": 1.5, "optimise": 40.0}} | more
    described = {"id": "0" * 16, "set": "demo", "command": "atelier stylize x.jpg"}
    described |= {"labels": labels} | (job or {})
    return write_run(folder, result=result, job=None if labels is None else described)


def failed_folder(folder, labels):
    failure = {"reason": "out of memory", "tries": 2}
    write_run(folder, job={"set": "demo", "labels": labels}, failure=failure)


@pytest.fixture
def two_methods(tmp_path):
    """Leakage 0.1, 0.2, 0.6 of one method and 0.3 of the other, whose second run has none."""
    for seed, leakage in enumerate((0.1, 0.2, 0.6)):
        labels = {"method": "soulstyler", "style": "fire", "seed": seed, "model.tau": 0.7}
        scores = {"leakage": leakage, "style_patch.bridge-lite2": 0.2, "object_change": seed}
        run_folder(tmp_path / f"runs/a/{seed}", labels, scores | {"dists": None})
    for seed, leakage in enumerate((0.3, None)):
        labels = {"method": "sem_cs", "style": "snow", "seed": seed, "model.tau": 0.7}
        scores = {"leakage": leakage, "style_patch.bridge-lite2": 0.2, "object_change": -1}
        more = {"unavailable": {"dists": "no weights"}}
        run_folder(tmp_path / f"runs/b/{seed}", labels, scores | {"dists": None}, **more)
    return tmp_path / "runs"


def from_csv(text):
    return list(csv.DictReader(io.StringIO(text, newline="")))


def from_markdown(text):
    lines = [re.split(r"(?<!\\)\|", line)[1:-1] for line in text.splitlines()]
    rows = [[re.sub(r"\\(.)", r"\1", cell.strip()) for cell in line] for line in lines]
    return rows[0], rows[2:]


def from_parquet(path):
    with duckdb.connect() as connection:
        found = connection.execute("SELECT * FROM read_parquet($p)", {"p": str(path)})
        names = [column[0] for column in found.description]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


# --- reading


def test_a_run_is_read_whole(tmp_path):
    labels = {"method": "soulstyler", "model.tau": 0.7, "keep": True, "none": None, "areas": [1, 2]}
    run_folder(tmp_path / "a/b", labels, {"leakage": 0, "dists": None}, unavailable={"dists": "no"})
    (run,) = read_runs(tmp_path)
    assert (run.folder, run.set, run.method) == ("a/b", "demo", "Soulstyler")
    assert run.labels == labels | {"areas": "[1, 2]"}
    assert run.metrics == {"leakage": 0.0, "dists": None}
    assert run.unavailable == {"dists": "no"}
    assert (run.seconds, run.encoder, run.failure) == (41.5, "bridge-lite0", "")
    assert run.command == "atelier stylize x.jpg"
    (same,) = read_runs(tmp_path / "a/b")
    assert same.folder == "."
    assert same.label("method") == "soulstyler"
    assert same.label("encoder") == "bridge-lite0"
    assert same.label("nothing") is None


@pytest.mark.parametrize(
    "config",
    [
        "seed_everything: 3\nmodel:\n  class_path: lightning_modules.sem_cs.SemCS\n"
        "  init_args: {}\ndata:\n  image: skimage:chelsea\n  style: null\n",
        "# x\nmodel: {class_path: lightning_modules.sem_cs.SemCS}\n"
        "data: {style: 'a', image: 'my pictures/chelsea.png'}\n",
    ],
)
def test_a_run_without_a_job_tells_its_labels_itself(tmp_path, config):
    folder = run_folder(tmp_path / "a", seed=3)
    targets = [{"object": "cat", "style": "fire"}, {"object": "background", "style": "snow"}]
    (folder / "parse.json").write_text(json.dumps(targets))
    (folder / "config.yaml").write_text(config)
    (run,) = read_runs(tmp_path)
    expected = {"method": "sem_cs", "picture": "chelsea", "object": "cat", "style": "fire"}
    assert run.labels == expected | {"seed": 3}
    assert (run.set, run.command) == ("", "")


def test_labels_that_nothing_tells_are_left_out(tmp_path):
    folder = run_folder(tmp_path / "a")
    (folder / "parse.json").write_text("{")
    (folder / "config.yaml").write_text("a: ]")
    (run,) = read_runs(tmp_path)
    assert run.labels == {"method": "Soulstyler", "seed": 0}
    assert run.failure == ""


def test_runs_come_by_labels_then_folder(tmp_path):
    for name, method, tau in (("z", "a", 10), ("y", "a", 9.5), ("x", "b", 1), ("w", "b", 1)):
        run_folder(tmp_path / name, {"method": method, "model.tau": tau})
    assert [run.folder for run in read_runs(tmp_path)] == ["y", "z", "w", "x"]


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
def test_a_damaged_run_is_a_failed_one_and_the_others_are_read(cli, tmp_path, file, content, words):
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
    assert "1 failed run is left out; e.g." in err
    assert words in err


def test_numbers_that_are_none_are_none(tmp_path):
    folder = run_folder(tmp_path / "a", {"method": "a"})
    scores = '"metrics": {"a": NaN, "b": 1e999, "c": "high", "d": 2, "e": null}'
    (folder / "result.json").write_text("{" + scores + ', "seconds": {"x": NaN}}')
    (run,) = read_runs(tmp_path)
    assert run.metrics == {"a": None, "b": None, "c": None, "d": 2.0, "e": None}
    assert run.seconds == 0
    assert run.values["seconds"] is None


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


# --- consolidated


def test_consolidated_runs_are_the_same_runs(cli, two_methods):
    failed_folder(two_methods / "c", {"method": "x"})
    runs = read_runs(two_methods)
    code, table, err = cli("results", two_methods, "--consolidate", "--format", "csv")
    assert code == 0
    assert err.startswith(f"wrote {two_methods / CONSOLIDATED}: 6 runs\n")
    # Read from there indeed: a file that is altered, but of the same size and time, goes unseen.
    path = two_methods / "a/0/result.json"
    state = path.stat()
    path.write_text(path.read_text().replace("0.1", "0.9"))
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))
    assert read_runs(two_methods) == runs
    assert cli("results", two_methods, "--format", "csv")[1] == table
    assert not [*two_methods.glob(".*")]


def test_what_came_after_the_consolidation_is_never_overlooked(two_methods, caplog):
    consolidate(two_methods)
    with caplog.at_level(logging.WARNING):
        assert len(read_runs(two_methods)) == 5
        assert caplog.text == ""
    path = two_methods / "a/0/result.json"
    state = path.stat()
    path.write_text(path.read_text().replace("0.1", "0.9"))  # made again, as large as before
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns + 1))
    old = run_folder(two_methods / "old", {"method": "old"}, {"leakage": 0.7})
    for file in old.iterdir():
        os.utime(file, (0, 0))  # copied from elsewhere with its time, long ago
    for file in (two_methods / "b/1").iterdir():
        file.unlink()  # deleted
    runs = {run.folder: run for run in read_runs(two_methods)}
    assert runs.keys() == {"a/0", "a/1", "a/2", "b/0", "old"}
    assert runs["a/0"].metrics["leakage"] == 0.9
    assert runs["old"].metrics["leakage"] == 0.7
    assert "is older than 2 of 5 runs" in caplog.text
    consolidate(two_methods)
    assert {run.folder: run for run in read_runs(two_methods)} == runs
    failed_folder(two_methods / "c", {"method": "x"})
    assert len(read_runs(two_methods)) == 6


@pytest.mark.parametrize("other", ["damaged", "foreign"])
def test_a_parquet_file_that_is_not_ours_is_not_used_and_not_replaced(two_methods, other, caplog):
    runs, path = read_runs(two_methods), two_methods / CONSOLIDATED
    if other == "damaged":
        consolidate(two_methods)
        path.write_bytes(path.read_bytes()[:200])
    else:
        duckdb.sql("SELECT 1 AS x").write_parquet(str(path))
    before = path.read_bytes()
    assert read_runs(two_methods) == runs
    assert "is not used" in caplog.text
    with pytest.raises(AtelierError, match="move it away"):
        consolidate(two_methods)
    assert path.read_bytes() == before


# --- putting together


def test_directions_are_known_without_torch():
    assert direction("style_patch.ViT") is direction("own_style_patch.x") is True
    assert direction("leakage") is direction("seconds") is False
    assert direction("object_change") is direction("another system's") is None
    code = (
        "import sys; from evaluation.tables.meanings import direction; direction('leakage')\n"
        "from experiments.commands import results\n"
        "print(*sys.modules)"
    )
    names = subprocess.check_output([sys.executable, "-c", code], cwd=ROOT, text=True).split()
    assert "evaluation.tables.meanings" in names
    assert not {"torch", "rich", "lightning"}.intersection(names)
    assert stem("own_style_patch.ViT.b") == "own_style_patch"
    assert bare("own_style_patch.ViT.b") == "style_patch"


@pytest.mark.parametrize("suite", sorted(SUITES.glob("*.yaml")), ids=lambda path: path.stem)
def test_every_score_of_every_metric_has_its_meaning_in_tables(suite):
    for spec in yaml.safe_load(suite.read_text()).values():
        for name, score in resolve_name(spec["class_path"]).scores.items():
            assert meanings()[bare(name)] == score


def test_means_spreads_and_the_best(two_methods):
    assert summary([0.1, None, 0.2, 0.6]).mean == pytest.approx(0.3)
    assert summary([0.1, None, 0.2, 0.6]).sd == pytest.approx(math.sqrt(0.14 / 2))
    assert (summary([2]).mean, summary([2]).sd, summary([2]).n) == (2, None, 1)
    assert (summary([None]).mean, summary([None]).sd, summary([None]).n) == (None, None, 0)
    groups = grouped(read_runs(two_methods), ["method"])
    assert [(group.key, group.n) for group in groups] == [
        ({"method": "sem_cs"}, 2),
        ({"method": "soulstyler"}, 3),
    ]
    assert [group.cell("leakage").n for group in groups] == [1, 3]

    def winners(score, higher_is_better, rows=groups):
        return best({k: group.cell(score) for k, group in enumerate(rows)}, higher_is_better)

    assert winners("object_change", True) == {1}
    assert winners("object_change", False) == {0}
    assert winners("object_change", None) == set()
    assert winners("style_patch.bridge-lite2", True) == {0, 1}  # all that tie
    # (0.1 + 0.2 + 0.6) / 3 is not 0.3 to the last digit, and still no worse.
    assert winners("leakage", False) == {0, 1}
    assert winners("dists", False) == set()
    assert winners("object_change", True, groups[:1]) == set()


def test_settings_vary_and_circumstances_are_averaged(tmp_path):
    def labels_of(name, *runs, **more):
        for k, labels in enumerate(runs):
            run_folder(tmp_path / name / str(k), labels, **more)
        return usual_labels(read_runs(tmp_path / name))

    base = {"method": "a", "picture": "p", "object": "o", "style": "s", "seed": 0}
    assert labels_of("one", base) == ["method"]
    others = {"picture": "q", "object": "r", "style": "t", "seed": 1}
    assert labels_of("same", base, base | others) == ["method"]
    assert labels_of("methods", base, base | {"method": "b"}) == ["method"]
    taus = [base | {"model.tau": tau} for tau in (0.6, 0.7)]
    assert labels_of("tau", *taus) == ["model.tau"]
    assert labels_of("both", base, taus[0] | {"method": "b"}) == ["method", "model.tau"]
    assert labels_of("bools", base | {"x": True}, base | {"x": 1}) == ["x"]
    # Neither sets nor encoders are mixed, unless another label tells them apart already.
    run_folder(tmp_path / "same/other", base, encoder="bridge-lite2", job={"set": "paper"})
    assert usual_labels(read_runs(tmp_path / "same")) == ["method", "set"]
    run_folder(tmp_path / "one/other", base, encoder="bridge-lite2")
    assert usual_labels(read_runs(tmp_path / "one")) == ["method", "encoder"]
    run_folder(tmp_path / "tau/other", base | {"model.tau": 0.8}, encoder="bridge-lite2")
    assert usual_labels(read_runs(tmp_path / "tau")) == ["model.tau"]


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
        known = [value for value in values if value is not None]
        assert float(rows[key]["leakage_mean"]) == pytest.approx(statistics.mean(known))
        assert float(rows[key]["leakage_sd"]) == pytest.approx(statistics.stdev(known))
        assert int(rows[key]["leakage_n"]) == len(known)
        assert int(rows[key]["n"]) == len(values) == 250
    consolidate(tmp_path / "runs")
    assert cli("results", tmp_path / "runs", "--format", "csv")[1] == out


# --- ways out


def test_a_table_for_people(cli, two_methods):
    code, out, err = cli("results", two_methods, "--metrics", "leakage,style_patch,dists,seconds")
    assert code == 0
    head, network, _, first, second = [line for line in out.splitlines() if line.strip()]
    assert re.search(r"style_patch", head)
    assert re.search(r"method +n +leakage ↓ +bridge-lite2 ↑ +dists ↓ +seconds ↓", network)
    assert " ".join(first.split()) == "sem_cs 2 0.3 (n=1) 0.2 ± 0 - 41.5 ± 0"
    assert " ".join(second.split()) == "soulstyler 3 0.3 ± 0.26 0.2 ± 0 - 41.5 ± 0"
    assert err == "dists: unavailable in 2 of 5 runs: no weights\n"


def test_the_best_is_bold_on_a_terminal(cli, two_methods, monkeypatch):
    monkeypatch.delenv("NO_COLOR", raising=False)
    folder = two_methods / "b/0/result.json"
    folder.write_text(folder.read_text().replace("0.3", "0.25"))
    words = ["results", two_methods, "--metrics", "leakage,object_change"]
    out = cli(*words, terminal=True, TERM="xterm-256color").stdout
    assert "\x1b[1m0.25 (n=1)\x1b[0m" in out
    rows = out.split("─\n")[-1]  # the head is bold, too
    assert rows.count("\x1b[1m") == 1


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
    assert {(row["seconds"], row["seconds_"], row["leakage_"]) for row in rows} == {(5, 41.5, 0.5)}
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
    assert rows[0] == [" ".join(NASTY.split()), "-", "1", "**0.2**", "-"]
    assert rows[1] == ["sem_cs", "0.7", "2", "0.3 (n=1)", "**0.2 ± 0**"]
    assert rows[2] == ["soulstyler", "0.7", "3", "0.3 ± 0.26", "**0.2 ± 0**"]
    assert "| sem_cs |" in out  # within a word an underscore is nothing to escape
    assert r"\<b\>\_ø\_\</b\>" in out


def test_latex_escapes_and_sets_rules(cli, two_methods):
    run_folder(two_methods / "c", {"method": "a_b & 50% \\x"}, {"leakage": 0.2, "quality": -2})
    arguments = ("--by=method", "--metrics=leakage,quality", "--format=latex")
    code, out, _ = cli("results", two_methods, *arguments)
    assert code == 0
    lines = out.splitlines()
    assert lines[1:5] == [
        r"\begin{tabular}{lrrr}",
        r"\toprule",
        r"method & n & leakage $\downarrow$ & quality \\",
        r"\midrule",
    ]
    assert lines[5:] == [
        r"a\_b \& 50\% \textbackslash{}x & 1 & \textbf{0.2} & $-$2 \\",
        r"sem\_cs & 2 & 0.3 (n=1) & - \\",
        r"soulstyler & 3 & 0.3 $\pm$ 0.26 & - \\",
        r"\bottomrule",
        r"\end{tabular}",
    ]
    out = cli(
        "results", two_methods, "--by=style", "--metrics=style_patch", "--format=latex"
    ).stdout
    assert out.count(r"\textbf{0.2 $\pm$ 0}") == 2
    assert r"style\_patch.bridge-lite2 $\uparrow$" in out


@pytest.mark.parametrize("ending", ["csv", "json", "md", "tex", "txt"])
def test_a_file_holds_what_would_be_printed(cli, two_methods, ending):
    path = two_methods / f"new/table.{ending}"
    assert cli("results", two_methods, "-o", path)[:2] == (0, "")
    formats = {"md": "markdown", "tex": "latex", "txt": "table"}
    printed = cli("results", two_methods, "--format", formats.get(ending, ending)).stdout
    assert path.read_text() == printed
    assert "soulstyler" in printed


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
        {"n": "5", "seconds_mean": "41.5", "seconds_sd": "0.0", "seconds_n": "5"}
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
