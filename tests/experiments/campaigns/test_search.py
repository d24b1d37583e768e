"""Searches: what is proposed, judged, stopped and refused."""

import json
import sys

import pytest

from datamodules.support.errors import AtelierError
from evaluation.tables.search import read_search, write_search
from experiments.campaigns.grid import read_sweep
from experiments.campaigns.halving import limit
from experiments.campaigns.options import CampaignOptions
from experiments.campaigns.search import run_search
from tests.support.searches import begin, end, go_on, search_of

optuna = pytest.importorskip("optuna", reason="needs the extra [search]")
GREEN = "tests.support.own_metrics.Green"
METHODS = {
    "tpe": {},
    "asha": {"trials": 24},
    "nsga2": {"metric": ["object_change", GREEN], "direction": ["max", "min"], "round": 5},
}


@pytest.mark.parametrize("method", METHODS)
def test_a_search_that_breaks_off_anywhere_goes_on_with_the_same_trials(tmp_path, method):
    sweep = search_of(method=method, **METHODS[method])
    whole = go_on(sweep, tmp_path / "whole").record
    assert len(whole.trials) == sweep.search.trials
    for _ in range(8):  # each time three more runs, then the program dies in the middle of a round
        go_on(sweep, tmp_path / "broken", most=3, order=-1)
    assert go_on(sweep, tmp_path / "broken").record == whole
    runs = {run for trial in whole.trials for run in trial.runs}
    assert {folder.name for folder in (tmp_path / "broken" / "runs").iterdir()} == runs
    states = {trial.state for trial in whole.trials}
    assert states == {"done", "failed"} | ({"stopped"} if method == "asha" else set())


def test_later_scores_of_a_run_change_no_search(tmp_path):
    """A whole picture gets scores of its background once others have a mask of the object."""
    sweep = search_of(trials=8)
    before = go_on(sweep, tmp_path).record
    for file in tmp_path.glob("runs/*/result.json"):
        content = json.loads(file.read_text())
        file.write_text(json.dumps(content | {"metrics": dict.fromkeys(content["metrics"], 0.5)}))
    assert go_on(sweep, tmp_path).record == before


def test_more_trials_begin_with_the_same_ones(tmp_path):
    few = go_on(search_of(trials=8), tmp_path).record.trials
    assert go_on(search_of(trials=12), tmp_path).record.trials[:8] == few


def test_what_is_proposed_lies_in_its_range(tmp_path):
    trials = go_on(search_of(trials=16), tmp_path).record.trials
    for settings in (trial.settings for trial in trials):
        assert 0.1 <= settings["model.tau"] <= 0.9
        assert 1e-4 <= settings["model.optimizer.lr"] <= 1e-2
        assert settings["seed"] in range(10)
        assert settings["parser"] in ("rules", "smollm2")
    assert len({trial.settings["model.tau"] for trial in trials}) == 16


@pytest.mark.parametrize(("direction", "extreme"), [("max", max), ("min", min)])
def test_the_best_trial_is_the_one_in_the_direction_of_the_search(tmp_path, direction, extreme):
    record = go_on(search_of(direction=direction, trials=8), tmp_path).record
    (best,) = record.best()
    assert best.values[0] == extreme(trial.values[0] for trial in record.done)
    assert f"best so far {record.scores(best)} by {best.described()}" in record.so_far()


def test_a_trial_with_several_runs_has_their_mean_score(tmp_path):
    sweep = search_of(trials=3).model_copy(update={"grid": {"mask": ["a.png", "b.png"]}})
    rounds, judge = begin(sweep, tmp_path)
    for job in rounds.jobs:
        end(job, tmp_path)
    attempts = rounds.attempts
    rounds.settle(judge)
    for attempt, trial in zip(attempts, rounds.record.trials, strict=True):
        assert len(trial.runs) == 2
        if trial.state == "done":
            scores = [judge.scores(job.folder(tmp_path))[0] for job in attempt.jobs]
            assert trial.values == [pytest.approx(sum(scores) / 2)]


def test_halving_decides_as_optuna_does():
    """One trial after another; there each decides for itself, here by limits set before."""
    losses = [[5.0, 4.0], [6.0, 1.0], [4.5, 4.2], [4.4, 3.0], [9.0, 9.0], [4.0, 3.5], [3.0, 2.0]]
    losses += [[3.5, 1.5], [3.4, 1.8], [3.3, 2.5], [3.2, 0.5], [3.1, 0.6]]
    pruner = optuna.pruners.SuccessiveHalvingPruner(min_resource=1, reduction_factor=3)
    study, rungs = optuna.create_study(pruner=pruner), {1: [], 3: []}
    for row in losses:
        trial, theirs, ours = study.ask(), [], []
        for (step, earlier), loss in zip(rungs.items(), row, strict=True):
            bound = limit(earlier, factor=3)
            earlier.append(loss)
            ours.append(bound is not None and loss > bound)
            trial.report(loss, step)
            theirs.append(trial.should_prune())
            if ours[-1]:
                break
        assert ours == theirs
        if theirs[-1]:
            study.tell(trial, state=optuna.trial.TrialState.PRUNED)
        else:
            study.tell(trial, row[-1])
    assert 0 < len(rungs[3]) < len(losses)


def test_the_front_of_several_goals_and_the_file_of_the_search(tmp_path):
    record = go_on(search_of(**METHODS["nsga2"]), tmp_path).record
    best = record.best()
    assert len(best) > 1
    changes, greens = zip(*(trial.values for trial in best), strict=True)
    assert list(changes) == sorted(changes, reverse=True)
    assert list(greens) == sorted(greens, reverse=True)  # whoever changes less has less green
    assert "on the Pareto front, e.g. object_change" in record.so_far()
    write_search(tmp_path, record)
    assert read_search(tmp_path) == record
    (tmp_path / "search.json").write_text('{"trials": 3}')
    with pytest.raises(AtelierError, match="is damaged"):
        read_search(tmp_path)


SEARCH = "metric: style_patch, over: {model.tau: {low: 0.1, high: 0.9}}"
REFUSED = [
    ("{metric: style_pach, over: {model.tau: [0.1]}}", "did you mean style_patch"),
    ("{metric: seed_dists, over: {model.tau: [0.1]}}", "no metric that is computed gives it"),
    ("{metric: mask_coverage, over: {model.tau: [0.1]}}", "no better direction"),
    ("{metric: style_patch}", "the key over is missing"),
    ("{over: {model.tau: [0.1]}}", "the key metric is missing"),
    ("{metric: style_patch, over: {}}", "over is {}; give a mapping"),
    ("{metric: style_patch, over: {model.tau: []}}", "give at least one value"),
    ("{metric: style_patch, over: {model.tau: {low: 0.9, high: 0.1}}}", "low must be below high"),
    ("{metric: style_patch, over: {model.tau: {low: .nan, high: 1}}}", "give finite numbers"),
    ("{metric: style_patch, over: {model.tau: {low: 0, high: .inf}}}", "give finite numbers"),
    ("{metric: style_patch, over: {model.tau: {low: 1e-4, high: 1}}}", "give finite numbers"),
    ("{metric: style_patch, over: {model.tau: {low: 0, high: 1, log: true}}}", "low must be above"),
    ("{metric: style_patch, over: {model.tao: [0.1]}}", "did you mean model.tau"),
    ("{metric: style_patch, over: {image: [a.jpg]}}", "image is in search.over and in fixed"),
    (f"{{method: bayes, {SEARCH}}}", "method is .bayes.; give tpe or asha or nsga2"),
    (f"{{direction: up, {SEARCH}}}", "give max or min"),
    (f"{{direction: [max, min], {SEARCH}}}", "there are 1 metrics and 2 directions"),
    (f"{{trials: 0, {SEARCH}}}", "trials is 0; give a whole number"),
    (f"{{halving: {{factor: 1}}, {SEARCH}}}", "factor is 1; give a whole number"),
    (f"{{halving: {{factor: 2}}, {SEARCH}}}", "halving belongs to asha"),
    (f"{{method: asha, halving: {{rungs: 9}}, {SEARCH}}}", "give more steps or fewer rungs"),
    ("{method: asha, metric: [leakage, style_patch], over: {seed: [1]}}", "asha takes one metric"),
    ("{method: asha, metric: leakage, over: {steps: [9, 27]}}", "leave set, grid"),
    ("{metric: no.Such, over: {model.tau: [0.1]}}", "There is no metric no.Such"),
    ("{metric: pathlib.Path, over: {model.tau: [0.1]}}", "pathlib.Path is no metric"),
]


@pytest.mark.parametrize(("search", "words"), REFUSED)
def test_a_search_that_cannot_be_is_one_sentence(tmp_path, search, words):
    (tmp_path / "s.yaml").write_text(f"fixed: {{image: skimage:chelsea}}\nsearch: {search}\n")
    with pytest.raises(AtelierError, match=words):
        run_search(read_sweep(str(tmp_path / "s.yaml")), {}, CampaignOptions(dry_run=True))


@pytest.mark.parametrize(
    ("changes", "overrides", "options", "words"),
    [
        ({"method": ["sem_cs", "soulstyler"]}, {}, {}, "takes one value of method"),
        ({"random": {"over": {"seed": [1]}}}, {}, {}, "both random and search"),
        ({}, {"model.tau": 0.5}, {}, "search.over and in the command line"),
        ({}, {}, {"shard": "1/2"}, "--shard parts a list"),
        ({}, {}, {"metrics": ("background",)}, "no metric that is computed gives it"),
    ],
)
def test_what_does_not_go_together_with_a_search(changes, overrides, options, words):
    sweep = search_of().model_dump(exclude_unset=True) | changes
    with pytest.raises(AtelierError, match=words):
        run_search(type(search_of())(**sweep), overrides, CampaignOptions(dry_run=True, **options))


def test_without_optuna_the_extra_is_named(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(AtelierError, match=r"pip install 'atelier\[search\]'"):
        begin(search_of(), tmp_path)


def test_an_own_metric_is_sought_by_its_class(tmp_path):
    sweep = search_of(GREEN, trials=4)
    record = go_on(sweep, tmp_path).record
    assert record.goals == ["green"]
    for trial in record.done:
        result = json.loads((tmp_path / "runs" / trial.runs[0] / "result.json").read_text())
        assert trial.values == [result["metrics"]["green"]]


@pytest.mark.filterwarnings("ignore")
def test_a_search_stops_what_falls_behind_and_goes_on_where_it_was(cli, tmp_path, sweep):
    path = sweep({}, steps=2)
    search = {"method": "asha", "over": {"model.tau": [0.3, 0.7], "seed": {"low": 0, "high": 99}}}
    search |= {"metric": "object_change", "direction": "max"}
    search |= {"trials": 4, "round": 2, "halving": {"factor": 2, "rungs": 1}}
    path.write_text(path.read_text().replace("grid: {}", f"search: {json.dumps(search)}"))
    words = ["sweep", path, "--out=out", "--serial", "--threads=1", "--no-wandb"]
    words += ["--metrics=change", "--no-evaluate"]
    done = cli(*words)
    assert done.returncode == 0, done.stderr
    record = read_search(tmp_path / "out")
    stopped = [trial for trial in record.trials if trial.state == "stopped"]
    assert stopped
    for trial in stopped:
        folder = tmp_path / "out" / "runs" / trial.runs[0]
        note = json.loads((folder / "stopped.json").read_text())
        assert note["value"] > note["limit"]
        assert len((folder / "losses.csv").read_text().splitlines()) == note["step"] + 1
        assert not any((folder / name).exists() for name in ("result.json", "FAILED.txt"))
    best = record.best()[0]
    assert done.stdout == f"{record.scores(best)}  {best.described()}  {best.runs[0]}\n"
    whole = f"{4 - len(stopped)} done, 0 skipped, {len(stopped)} stopped early, 0 failed"
    assert whole in done.stderr.splitlines()[-1]
    plan = json.loads((tmp_path / "out" / "plan.json").read_text())["tiny"]["runs"]
    assert len(plan) == 4 - len(stopped)  # no report waits for the others
    log = (tmp_path / "out" / "progress.log").read_text().splitlines()
    assert len(log) == 4 + 2  # runs and rounds
    assert "2 of 4 trials" in log[2]
    dry_run = cli(*words, "--dry-run")
    assert "4 of 4 trials" in dry_run.stdout.splitlines()[-1]
    again = cli(*words)
    assert f"0 done, {4 - len(stopped)} skipped" in again.stderr.splitlines()[-1]
    assert again.stdout == done.stdout
    assert read_search(tmp_path / "out") == record
