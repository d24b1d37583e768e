"""Scores of many runs: read, consolidated and grouped."""

import json
import logging
import math
import os
import subprocess
import sys
from pkgutil import resolve_name

import duckdb
import pytest
import yaml

from datamodules.support.errors import AtelierError
from evaluation.report.plots import FRONT, looks_of, tradeoffs
from evaluation.tables.groups import grouped, summary, usual_labels
from evaluation.tables.meanings import (
    SUITES,
    bare,
    direction,
    heading,
    is_users,
    label_title,
    meanings,
    method_title,
    stem,
    title,
    unit,
)
from evaluation.tables.runs import CONSOLIDATED, consolidate, read_runs
from tests.support.cli import ROOT
from tests.support.reports import entry
from tests.support.scored_runs import failed_folder, run_folder


def test_a_run_is_read_whole(tmp_path):
    labels = {"method": "soulstyler", "model.tau": 0.7, "keep": True, "none": None, "areas": [1, 2]}
    run_folder(tmp_path / "a/b", labels, {"leakage": 0, "dists": None}, unavailable={"dists": "no"})
    (run,) = read_runs(tmp_path)
    assert (run.folder, run.set, run.method) == ("a/b", "demo", "Soulstyler")
    assert run.labels == labels | {"areas": "[1, 2]"}
    assert run.metrics == {"leakage": 0.0, "dists": None}
    assert run.unavailable == {"dists": "no"}
    assert (run.seconds, run.encoder, run.failure) == (40.0, "bridge-lite0", "")
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


def test_numbers_that_are_none_are_none(tmp_path):
    folder = run_folder(tmp_path / "a", {"method": "a"})
    scores = '"metrics": {"a": NaN, "b": 1e999, "c": "high", "d": 2, "e": null}'
    (folder / "result.json").write_text("{" + scores + ', "seconds": {"x": NaN}}')
    (run,) = read_runs(tmp_path)
    assert run.metrics == {"a": None, "b": None, "c": None, "d": 2.0, "e": None}
    assert run.seconds == 0
    assert run.values["seconds"] is None


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


OWN_METRIC = """
from evaluation.metrics.scores import Score

class Glow:
    scores = {"glow": Score(True, 0, 1, "mine", unit="nits", title="inner glow")}
"""


@pytest.fixture
def own_metric(tmp_path, monkeypatch):
    """A suite with a user's own class, and one with a class that is gone."""
    (tmp_path / "my_metrics.py").write_text(OWN_METRIC)
    specs = {"glow": {"class_path": "my_metrics.Glow"}, "gone": {"class_path": "my_metrics.Gone"}}
    (tmp_path / "mine.yaml").write_text(yaml.safe_dump(specs))
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr("evaluation.tables.meanings.SUITES", tmp_path)
    meanings.cache_clear()
    yield
    meanings.cache_clear()


def test_a_users_own_metric_has_its_heading_unit_and_direction(own_metric, caplog):
    assert direction("glow.x") is True
    assert (title("glow.x"), heading("glow.x"), unit("glow.x")) == (
        "inner glow",
        "inner glow · x",
        "nits",
    )
    assert is_users("glow.x")
    assert "my_metrics.Gone gives its scores no meaning" in caplog.text
    assert (title("other_thing"), unit("other_thing")) == ("other thing", "")
    entries = [entry(metrics={"glow": k, "leakage": k}) for k in (0.2, 0.4)]
    (one,) = [one for one in tradeoffs(entries, looks_of(["Soulstyler"])) if one["x"] == "leakage"]
    assert one["y"] == "inner glow"
    assert one["figure"]["data"][0]["name"] == FRONT


def test_headings_are_words():
    assert title("background_psnr") == "background PSNR"
    assert title("own_style_patch.x") == "own style of patches"
    assert title("object_haarpsi") == "object HaarPSI"
    assert label_title("model.optimizer.lr") == "learning rate"
    assert method_title("sem_cs") == method_title("SemCS") == "Sem-CS"
    assert method_title("my_method") == "my_method"


def test_means_and_spreads(two_methods):
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
