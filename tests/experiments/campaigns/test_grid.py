"""Grids and random samples."""

import numpy as np
import pytest

from datamodules.support.errors import AtelierError
from experiments.campaigns.grid import Sweep, combinations, read_sweep, sweep_jobs, values_of
from experiments.run.registry import SWEEPS


def test_a_grid_is_every_combination_in_order():
    grid = {"model.tau": [0.1, 0.2], "seed": [1, 2]}
    sweep = Sweep(name="x", grid=grid, method=["a", "b"])
    draws = combinations(sweep)
    assert len(draws) == 8
    assert draws[0] == {"model.tau": 0.1, "seed": 1, "method": "a"}
    assert draws[-1] == {"model.tau": 0.2, "seed": 2, "method": "b"}
    assert values_of("t", {"from": 0.1, "to": 0.95, "step": 0.05}) == pytest.approx(
        np.arange(0.1, 0.951, 0.05)
    )


def test_a_random_sample_is_the_same_for_the_same_seed():
    over = {"model.tau": {"low": 0.1, "high": 0.9}, "model.optimizer.lr": {"low": 1e-4, "high": 1}}
    over["model.optimizer.lr"]["log"] = True
    over["style"] = ["a", "b"]
    sweep, other = (
        Sweep(name="x", random={"count": 200, "seed": seed, "over": over}) for seed in (3, 4)
    )
    draws = combinations(sweep)
    assert draws == combinations(sweep)
    assert draws != combinations(other)
    assert all(0.1 <= one["model.tau"] <= 0.9 for one in draws)
    rates = sorted(one["model.optimizer.lr"] for one in draws)
    assert 0.003 < rates[100] < 0.03  # the median of a log-uniform draw
    assert {one["style"] for one in draws} == {"a", "b"}


def test_what_stays_as_it_is_is_a_setting_and_a_label():
    fixed = {"image": "skimage:chelsea", "style": "fire", "except": ["cat"]}
    (job,) = sweep_jobs(Sweep(name="x", fixed=fixed, grid={"seed": [1]}), {}, wandb=False)
    assert job.settings["data.exceptions"] == job.labels["except"] == ["cat"]


@pytest.mark.parametrize("path", sorted(SWEEPS.glob("*.yaml")), ids=lambda path: path.stem)
def test_shipped_sweeps_can_be_made(path):
    jobs = sweep_jobs(read_sweep(path.stem), {}, wandb=False)
    assert len({job.id for job in jobs}) == len(jobs)
    assert len(jobs) == {"threshold": 36, "llm": 9}[path.stem]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a: [", "the sweep cannot be read"),
        ("title: x", "there is no grid, random or search"),
        ("grid: {a: 1}\ncolour: red", "there is no key 'colour', only title"),
        ("grid: {model.tau: 0.5}", "model.tau in the sweep's grid is 0.5"),
        ("grid: {model.tau: {from: 1, to: 0, step: 1}}", "model.tau in the sweep's grid"),
        ("grid: {tau: [1]}", "'tau' is no setting"),
        ("grid: {parser: [llama]}", "There is no parser 'llama'"),
        ("method: soulstiler\ngrid: {seed: [1]}", "did you mean soulstyler"),
        ("random: {over: {model.tau: 3}}", "model.tau in the sweep's random.over"),
        ("random: {often: 3}", "random: there is no key 'often', only count, seed, over"),
        ("grid: {seed: {from: 1, to: 1000000, step: 1}}", "100000 runs are the most"),
        ("grid: {seed: {from: 0, to: 1.0e+12, step: 1}}", "100000 runs are the most"),
        ("grid: {model.tau: {from: 0, to: .inf, step: 1}}", "model.tau in the sweep's grid is"),
        ("grid: {model.tau: {from: .nan, to: 1, step: 1}}", "model.tau in the sweep's grid is"),
        ("grid: {model.tau: [.inf]}", "model.tau is inf; give a finite number"),
        ("grid: {model.tau: [0.1], model.tau: [0.2]}", "the key 'model.tau' is there twice"),
        ("fixed: {steps: 3}\ngrid: {trainer.max_steps: [1]}", "are the same setting"),
        ("grid: {seed: [1], seed_everything: [2]}", "are the same setting"),
        ("grid: {seed: [1]}\nrandom: {over: {seed: [2]}}", "varies in grid and in random"),
        ("grid: {model.optimizer.lr: [0]}", "lr of Adam is 0; give a number above 0"),
        ("fixed: {model.optimizer.lr: .nan}\ngrid: {seed: [1]}", "give a finite number"),
        ("random: {over: {model.tau: {low: .nan, high: 1}}}", "model.tau in the sweep's random"),
        ("random: {over: {model.tau: {low: 1, high: 0}}}", "model.tau in the sweep's random"),
        ("random: {count: 1.0e+9, over: {model.tau: [1]}}", "count is 1000000000.0; give a whole"),
        ("random: {count: 1000000000, over: {model.tau: [1]}}", "100000 are the most"),
        ("fixed: {style: 2026-01-01}\ngrid: {seed: [1]}", "put it in quotes"),
        ("fixed: {style: 2026-13-45}\ngrid: {seed: [1]}", "the sweep cannot be read"),
        ("grid: {size: [small]}", "data.size of StylizationDataModule is 'small'"),
        ("grid: [1]", "grid is .1.; give a mapping of settings"),
        ("fixed: 3\ngrid: {seed: [1]}", "fixed is 3; give a mapping of settings"),
    ],
)
def test_a_sweep_that_cannot_be_is_one_sentence(tmp_path, text, words):
    (tmp_path / "s.yaml").write_text(text)
    with pytest.raises(AtelierError, match=words):
        sweep_jobs(read_sweep(str(tmp_path / "s.yaml")), {}, wandb=False)


def test_a_setting_that_varies_cannot_have_one_value_too():
    sweep = Sweep(name="x", fixed={"style": "fire"}, grid={"steps": [1, 2]})
    with pytest.raises(AtelierError, match=r"trainer.max_steps varies in grid .* one value"):
        sweep_jobs(sweep, {"trainer.max_steps": "3"}, wandb=False)


def test_the_command_line_precedes_the_file_whatever_the_names():
    fixed = {"trainer.max_steps": 5, "style": "fire"}
    sweep = Sweep(name="x", fixed=fixed, grid={"seed": [1]})
    (job,) = sweep_jobs(sweep, {"trainer.max_steps": "7"}, wandb=False)
    assert job.settled.settings["trainer.max_steps"] == 7
