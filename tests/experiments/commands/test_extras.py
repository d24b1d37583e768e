"""Commands without the packages of the extras."""

import json
import sys
import tomllib

import pytest
import yaml

from datamodules.support.extras import EXTRAS
from evaluation.study.answer_key import read_key
from experiments.campaigns.campaign import _settle_wandb
from experiments.campaigns.plan import make_job
from experiments.run.tracking import Wandb, log_scores, wandb_logger
from tests.support.cli import ROOT
from tests.support.hidden import python_without
from tests.support.searches import FIXED, OVER

HIDDEN = sorted({module for extra in EXTRAS.values() for module in extra.modules})
CORE = """
from experiments.cli import main
for words in (
    ["parse", "Turn the cat to fire"],
    ["mask", "skimage:chelsea", "cat", "-o", "mask.png"],
    ["stylize", "skimage:chelsea", "Turn the cat to fire", "--size", "64", "--steps", "1",
     "--model.patches.count", "4", "--out", "run"],
    ["evaluate", "run", "--metrics", "background,style_patch,brisque"],
):
    assert main(words) == 0, words
"""


@pytest.mark.slow  # loads every real part in a process of its own
def test_the_core_needs_no_extra(tmp_path):
    result = python_without(HIDDEN, CORE, tmp_path)
    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout.splitlines()[0]) == [{"object": "cat", "style": "fire"}]
    assert (tmp_path / "run" / "result.json").exists()
    remarks = [line for line in result.stderr.splitlines() if line.startswith("W&B ")]
    assert remarks == ["W&B      not logged: wandb is not installed (pip install 'atelier[wandb]')"]


@pytest.mark.parametrize(
    ("module", "extra", "words"),
    [
        ("ray", "sweep", ["sweep", "threshold"]),
        ("ray", "sweep", ["bench", "demo"]),
        ("ray", "sweep", ["sweep", "search.yaml"]),
        ("optuna", "search", ["sweep", "search.yaml", "--serial"]),
        ("plotly", "report", ["sweep", "threshold", "--serial"]),
        ("duckdb", "report", ["bench", "demo", "--serial"]),
        ("duckdb", "report", ["results", "RUNS"]),
        ("duckdb", "report", ["results", "RUNS", "--consolidate"]),
        ("duckdb", "report", ["report", "RUNS"]),
        ("plotly", "report", ["report", "RUNS"]),
        ("choix", "study", ["study", "score", "study", "votes.json"]),
        ("openai", "api", ["parse", "Turn the cat to fire", "--parser", "api:m"]),
    ],
)
def test_a_command_names_the_extra_that_it_lacks(
    module, extra, words, cli, study_runs, study, tmp_path, monkeypatch
):
    search = {"over": OVER, "metric": "object_change", "direction": "max", "trials": 2}
    (tmp_path / "search.yaml").write_text(yaml.safe_dump({"fixed": FIXED, "search": search}))
    key = read_key(study)
    votes = [{"pair": pair, "question": "photo", "answer": "A"} for pair in key.pairs]
    record = {"study": key.study, "rater": "anna", "votes": votes}
    (tmp_path / "votes.json").write_text(json.dumps(record))
    before = sorted(tmp_path.iterdir())
    monkeypatch.setitem(sys.modules, module, None)
    result = cli(*(str(study_runs) if word == "RUNS" else word for word in words))
    assert result.returncode == 2
    assert result.stderr.startswith("atelier: ")
    assert result.stderr.endswith(
        f"{EXTRAS[extra].use} needs {module}; run: pip install 'atelier[{extra}]'\n"
    )
    assert not result.stdout
    assert sorted(tmp_path.iterdir()) == before  # refused before anything is made


def test_a_campaign_says_once_that_it_is_not_logged(capsys, monkeypatch):
    monkeypatch.delenv("WANDB_MODE", raising=False)
    monkeypatch.setitem(sys.modules, "wandb", None)
    values = {"method": "soulstyler", "models": "embedded", "image": "skimage:chelsea"}
    jobs = [make_job(values | {"seed": seed}, {}, "test", wandb=True) for seed in (0, 1)]
    _settle_wandb(jobs)
    _settle_wandb(jobs)
    assert capsys.readouterr().err.count("wandb is not installed") == 1
    assert wandb_logger(Wandb(), None) is None  # of a worker: silent


def test_scores_of_a_run_that_was_logged_elsewhere_stay_in_its_folder(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "wandb", None)
    (tmp_path / "wandb" / "offline-run-1-a").mkdir(parents=True)
    log_scores(tmp_path, {"leakage": 0.0})


def test_the_extras_of_the_package_are_those_of_the_sentences():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    for name, extra in EXTRAS.items():
        assert set(extra.modules) == set(_flat(extras, name))
    assert set(EXTRAS) == set(extras["all"][0][len("atelier[") : -1].split(","))
    core = {word.split("[")[0].split("<")[0] for word in project["dependencies"]}
    assert not core & set(HIDDEN)


def _flat(extras, name):
    """Packages of an extra, those of other extras of Atelier in it included."""
    for word in extras[name]:
        if word.startswith("atelier["):
            yield from _flat(extras, word[len("atelier[") : -1])
        else:
            yield word
