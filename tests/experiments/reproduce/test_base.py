"""The scripts of the published tables, and docs/results.md from their CSVs."""

import csv
from importlib import import_module
from pathlib import Path

import pytest

from experiments.reproduce import base as reproduce
from experiments.run.registry import METHODS

SCRIPTS = sorted(
    path
    for path in Path(reproduce.__file__).parent.glob("*.py")
    if path.stem not in ("__init__", "__main__", "base")
)
# The tables of language models and of encoders have no runs.
WITH_RUNS = [path for path in SCRIPTS if path.stem not in ("soulstyler_llm", "correlation")]


def test_the_page_has_the_tables_of_the_committed_results():
    assert reproduce.PAGE.read_text(encoding="utf-8") == reproduce.page()
    assert reproduce.page().count("`python -m experiments.reproduce.") == len(SCRIPTS)


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_every_script_has_its_result_and_says_what_it_needs(script):
    name = script.stem
    module = import_module(f"experiments.reproduce.{script.stem}")
    assert "Paper's form:" in module.__doc__
    assert "Reduced form:" in module.__doc__
    rows = list(csv.DictReader((reproduce.RESULTS / f"{name}.csv").open(encoding="utf-8")))
    assert rows
    for row in rows:
        assert all(row[column] for column in reproduce.PROVENANCE if column in row)
        assert row["script"] == f"python -m experiments.reproduce.{name}"


@pytest.mark.parametrize("script", WITH_RUNS, ids=lambda path: path.stem)
def test_every_run_of_a_script_can_be_a_job(script):
    study = import_module(f"experiments.reproduce.{script.stem}").STUDY
    assert study.name == script.stem
    jobs = study.jobs()
    assert len({job.id for job in jobs}) == len(jobs)
    seeds = {}
    for job in jobs:
        row = tuple(job.labels[label] for label in study.by)
        seeds.setdefault(row, set()).add(job.labels["seed"])
        assert (METHODS / f"{job.labels['method']}.yaml").exists()
    assert all(len(each) >= reproduce.ENOUGH for each in seeds.values())
    metrics = import_module("yaml").safe_load(
        (METHODS.parent / "evaluation" / "embedded.yaml").read_text(encoding="utf-8")
    )
    assert set(study.metrics) <= metrics.keys()


def table(rows, seeds, folder, monkeypatch):
    """Lines of the page's table of rows, "about" last."""
    monkeypatch.setattr(reproduce, "RESULTS", folder)
    reproduce.write_rows("x", rows, "embedded", {"size": 64, "steps": 3}, seeds)
    return reproduce.markdown(folder / "x.csv", "A title").splitlines()


ROWS = [
    {"method": "a", "runs": 3, "style": "0.5", "style sd": "0.1", "dists": ""},
    {"method": "b", "runs": 3, "style": "", "style sd": "", "dists": ""},
]


def test_a_table_shows_means_with_spread_and_where_they_come_from(tmp_path, monkeypatch):
    lines = table(ROWS, (0, 1, 2), tmp_path, monkeypatch)
    assert lines[0] == "## A title"
    assert lines[2] == "| method | runs | style |"  # no column without a number
    assert lines[4:6] == ["| a | 3 | 0.5 ± 0.1 |", "| b | 3 | - |"]
    assert lines[7].startswith("embedded models, 64 px, 3 steps, seeds 0, 1, 2, ")
    assert lines[7].endswith("`python -m experiments.reproduce.x`")


def test_fewer_than_three_seeds_give_a_mean_without_a_spread(tmp_path, monkeypatch):
    assert table(ROWS, (0, 1), tmp_path, monkeypatch)[4] == "| a | 3 | 0.5 |"
    assert table(ROWS, (), tmp_path, monkeypatch)[4] == "| a | 3 | 0.5 |"


def test_rows_that_say_nothing_are_not_in_a_table(tmp_path, monkeypatch):
    rows = [{"t": t, "style": "0.5", "not measured": ""} for t in (0.1, 0.2)]
    rows.append({"t": "CLIP", "style": "", "not measured": "its weights are missing"})
    lines = table(rows, (), tmp_path, monkeypatch)
    assert lines[2:6] == ["| t | style |", "|---|---|", "| 0.1, 0.2 | 0.5 |", ""]
