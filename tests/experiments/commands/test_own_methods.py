"""A user's own method through the commands, from any folder."""

import json
import sys

import pytest
import yaml

from experiments.profiling.subject import Subject
from experiments.run import own_code, sources
from tests.support import tiny
from tests.support.cli import assert_refused, process, run
from tests.support.own_metrics import Green

SMALL = ["--size=64", "--steps=1", "--full-size=0", "--no-wandb"]
FIXED = {"image": "skimage:chelsea", "style": "fire", "size": 64, "steps": 1, **tiny.NETWORKS}


def forget(own_method):
    """Let the next command read the method anew, as another process does."""
    sys.modules.pop(own_method.name, None)
    sources.code_digest.cache_clear()


def write_sweep(own_method, **more):
    path = own_method.folder / "sweep.yaml"
    sweep = {"method": [own_method.file.name], "fixed": FIXED, "grid": {"seed": [0]}}
    path.write_text(yaml.safe_dump(sweep | more))
    return path


def test_a_run_is_repeated_from_any_folder(cli, own_method, tmp_path):
    words = ["stylize", "skimage:chelsea", "--style=fire", *SMALL, "--out=run"]
    answer = cli(*words, "--method", own_method.file)
    assert answer.returncode == 0, answer.stderr
    config = tmp_path / "run" / "config.yaml"
    assert yaml.safe_load(config.read_text())["code"] == [str(own_method.folder)]
    forget(own_method)
    sys.path.remove(str(own_method.folder))
    own_code.forget()
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    answer = run("stylize", "--config", config, "--out=again", "--no-wandb", cwd=elsewhere)
    assert answer.returncode == 0, answer.stderr
    pictures = [place / "output.png" for place in (tmp_path / "run", elsewhere / "again")]
    assert pictures[0].read_bytes() == pictures[1].read_bytes()


def test_only_the_runs_of_an_edited_method_are_made_again(cli, own_method, tmp_path):
    path = write_sweep(own_method, method=[own_method.file.name, "clipstyler"])
    words = ["sweep", path, "--serial", "--out=out", "--no-wandb", "--no-evaluate", "--threads=1"]

    def counts():
        forget(own_method)
        answer = cli(*words)
        assert answer.returncode == 0, answer.stderr
        return answer.stderr.splitlines()[-1].removeprefix("out: ")

    assert counts() == "2 done, 0 skipped, 0 failed"
    own_method.write('"""The direction of the style, and nothing else."""', '"""Other words."""')
    assert counts() == "0 done, 2 skipped, 0 failed"
    own_method.write("self.gain *", "2 * self.gain *")
    assert counts() == "1 done, 1 skipped, 0 failed"
    methods = {}
    for file in tmp_path.glob("out/runs/*/job.json"):
        method = json.loads(file.read_text())["labels"]["method"]
        methods[method] = methods.get(method, 0) + 1
    assert methods == {own_method.name: 2, "clipstyler": 1}
    own_method.write("self.gain *", "self.gian *")
    forget(own_method)
    answer = cli(*words)
    assert answer.returncode == 2
    assert f"failed: {own_method.source}, line " in answer.stderr
    assert "in losses: AttributeError" in answer.stderr


def test_compare_and_bench_take_own_methods(cli, own_method, tmp_path, mask):
    words = ["compare", "skimage:chelsea", "--target=cat=fire", "--mask", mask, "--out=out"]
    answer = cli(
        *words,
        f"--methods={own_method.file}",
        "--size=64",
        "--steps=1",
        "--no-wandb",
        *tiny.OPTIONS,
    )
    assert answer.returncode == 0, answer.stderr
    assert list(json.loads((tmp_path / "out" / "compare.json").read_text())) == [own_method.name]
    answer = cli("bench", "demo", "--methods", f"{own_method.file},clipstyler", "--dry-run")
    assert answer.returncode == 0, answer.stderr
    assert answer.stdout.count(f"method {own_method.name}, ") == 6
    assert "12 runs" in answer.stdout
    assert_refused(cli("bench", "demo", "--methods=gone.yaml"), "no method at gone.yaml")


def test_an_own_method_can_be_profiled(own_method):
    config = Subject(str(own_method.file)).configuration()
    assert config["model"]["class_path"] == own_method.path
    assert config["data"]["size"] == 512  # the default method's


def test_a_fault_in_the_code_is_one_sentence_with_its_line(cli, own_method):
    own_method.write("self.gain *", "self.gian *")
    words = ["stylize", "skimage:chelsea", "--style=fire", "--parser=rules", *SMALL, *tiny.OPTIONS]
    words += ["--method", own_method.file]
    answer = cli(*words)
    assert answer.returncode == 2
    last = answer.stderr.splitlines()[-1]
    assert last.startswith(f"atelier: {own_method.source}, line ")
    assert "in losses: AttributeError" in last and "ATELIER_TRACEBACK=1" in last
    assert "Traceback" not in answer.stderr
    with pytest.raises(AttributeError, match="gian"):
        cli(*words, ATELIER_TRACEBACK="1")


def test_an_own_set_is_a_file(cli, own_method, tmp_path):
    own = {"title": "Mine", "source": "me", "methods": ["gatys"], "pictures": {}, "styles": []}
    picture = {"sha256": {"a.png": "unknown"}, "source": "me", "licence": "mine"}
    own |= {"pictures": {"a": picture}, "styles": [{"style": "fire", "seed": 0}]}
    from PIL import Image

    Image.new("RGB", (64, 64), "green").save(own_method.folder / "a.png")
    path = own_method.folder / "mine.yaml"
    path.write_text(yaml.safe_dump(own))
    answer = cli("bench", path, "--methods", own_method.file, "--dry-run")
    assert answer.returncode == 0, answer.stderr
    assert "picture a" in answer.stdout and "1 runs" in answer.stdout


@pytest.mark.slow  # starts Ray
@pytest.mark.xdist_group("ray")
def test_workers_of_ray_find_own_code_from_another_folder(own_method, tmp_path):
    words = ["sweep", write_sweep(own_method), "--out=out", "--workers=1", "--no-evaluate"]
    answer = process(*words, "--no-wandb", cwd=tmp_path, RAY_ADDRESS=None)
    assert answer.returncode == 0, answer.stderr
    assert "1 done, 0 skipped, 0 failed" in answer.stderr.splitlines()[-1]
    (result,) = tmp_path.glob("out/runs/*/result.json")
    assert json.loads(result.read_text())["method"] == "Plain"


def test_the_meaning_of_an_own_score_stays_with_the_run(cli, finished_run, tmp_path, monkeypatch):
    import shutil

    from evaluation.metrics.scores import Score
    from evaluation.report.page_model import main_scores
    from evaluation.tables import meanings
    from evaluation.tables.runs import read_runs

    shutil.copytree(finished_run.folder, tmp_path / "runs" / "a")
    score = Score(False, 0, 1, "own", unit="nits", title="green light")
    monkeypatch.setattr(Green, "scores", {"green": score})
    path = f"{Green.__module__}.Green"
    answer = cli("evaluate", "runs", f"--metrics={path}", "--no-wandb")
    assert answer.returncode == 0, answer.stderr
    assert meanings.direction("green") is None  # as in a process that has read no run
    monkeypatch.setattr(meanings, "_learned", {})
    runs = read_runs(tmp_path / "runs")
    assert meanings.meaning("green") == score
    assert "green" in main_scores(runs)
    answer = cli("results", "runs")
    assert "green ↓" in answer.stdout
