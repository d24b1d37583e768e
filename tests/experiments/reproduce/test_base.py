"""The scripts of the published tables, and README's tables from their CSVs."""

import csv
from importlib import import_module
from pathlib import Path

import pytest

from experiments.campaigns.plan import make_job
from experiments.reproduce import base as reproduce
from experiments.run.registry import METHODS

SCRIPTS = sorted(
    path
    for path in Path(reproduce.__file__).parent.glob("*.py")
    if path.stem not in ("__init__", "__main__", "base")
)
# The tables of language models and of encoders have no runs.
WITH_RUNS = [path for path in SCRIPTS if path.stem not in ("soulstyler_llm", "correlation")]


def test_readme_has_the_tables_of_the_committed_results():
    assert reproduce.README.read_text(encoding="utf-8") == reproduce.readme()
    assert "<!-- results -->" in reproduce.readme()


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_every_script_has_its_result_and_says_what_it_needs(script):
    name = script.stem
    module = import_module(f"experiments.reproduce.{script.stem}")
    assert "Paper's form:" in module.__doc__
    assert "Reduced form:" in module.__doc__
    rows = list(csv.DictReader((reproduce.RESULTS / f"{name}.csv").open(encoding="utf-8")))
    assert rows
    for row in rows:
        assert all(row[column] for column in reproduce.PROVENANCE)
        assert row["script"] == f"python -m experiments.reproduce.{name}"


@pytest.mark.parametrize("script", WITH_RUNS, ids=lambda path: path.stem)
def test_every_run_of_a_script_can_be_a_job(script):
    study = import_module(f"experiments.reproduce.{script.stem}").STUDY
    assert study.name == script.stem
    assert study.runs()
    jobs = [make_job(given, labels, study.name, False) for given, labels in study.runs()]
    assert len({job.id for job in jobs}) == len(jobs)
    for job in jobs:
        assert set(study.by) <= job.labels.keys()
        assert (METHODS / f"{job.labels['method']}.yaml").exists()
    metrics = import_module("yaml").safe_load(
        (METHODS.parent / "evaluation" / "embedded.yaml").read_text(encoding="utf-8")
    )
    assert set(study.metrics) <= metrics.keys()


def test_a_table_shows_means_with_spread_and_where_they_come_from(tmp_path, monkeypatch):
    monkeypatch.setattr(reproduce, "RESULTS", tmp_path)
    rows = [{"method": "a", "runs": 2, "style": "0.5", "style sd": "0.1"}]
    rows.append({"method": "b", "runs": 1, "style": "", "style sd": ""})
    reproduce.write_rows("x", rows, "embedded", {"size": 64, "steps": 3})
    text = reproduce.markdown(tmp_path / "x.csv", "A title")
    lines = text.splitlines()
    assert lines[0] == "**A title**"
    assert lines[2] == "| method | runs | style |"
    assert lines[4] == "| a | 2 | 0.5 ± 0.1 |"
    assert lines[5] == "| b | 1 | - |"
    assert lines[7].startswith("embedded models, 64 px, 3 steps, ")
    assert lines[7].endswith("`python -m experiments.reproduce.x`")
