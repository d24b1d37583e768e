"""Campaigns: counts, the last line, and the exit code."""

from contextlib import contextmanager
from dataclasses import dataclass

import pytest
from PIL import Image

from datamodules.campaign_folder import write_plan
from experiments.campaigns.campaign import forget, run_campaign, states_of, with_earlier
from experiments.campaigns.grid import read_sweep, sweep_jobs
from experiments.campaigns.making import Outcome, make_jobs
from experiments.campaigns.options import CampaignOptions
from experiments.campaigns.workers import Workers
from tests.support.run_folders import write_run


@dataclass(frozen=True)
class Ending(Workers):
    """Workers with whom every run ends in one state."""

    state: str = "done"

    @contextmanager
    def at_work(self, root):
        yield lambda jobs: (Outcome(job.id, self.state, "for a reason") for job in jobs)


@pytest.mark.parametrize(
    ("state", "code", "line"),
    [
        ("done", 0, "2 done, 0 skipped, 0 failed"),
        ("failed", 2, "0 done, 0 skipped, 2 failed"),
        ("busy", 2, "0 done, 0 skipped, 0 failed, 2 made by another program"),
        ("open", 2, "0 done, 0 skipped, 0 failed, 2 open (the same command tries again)"),
    ],
)
def test_runs_without_a_result_are_counted_and_end_in_2(tmp_path, sweep, capsys, state, code, line):
    jobs = sweep_jobs(read_sweep(str(sweep({"seed": [0, 1]}))), {}, wandb=False)
    options = CampaignOptions(Ending(state=state), str(tmp_path / "out"), evaluate=False)
    assert run_campaign("x", jobs, "embedded", options) == code
    messages = capsys.readouterr().err.splitlines()
    assert messages[-1] == f"{tmp_path / 'out'}: {line}"
    if state in ("failed", "open"):
        assert sum("for a reason" in words for words in messages) == 2


def finish(job, root):
    """A job's folder as a run leaves it."""
    pictures = {"output.png": Image.new("RGB", (8, 8))}
    record = {"id": job.id, "set": job.set, "labels": dict(job.labels), "request": job.request}
    return write_run(job.folder(root), pictures, result={"method": "Soulstyler"}, job=record)


def test_a_damaged_result_is_an_open_run_and_said(tmp_path, sweep, cli):
    path = sweep({"seed": [0, 1, 2]})
    jobs = sweep_jobs(read_sweep(str(path)), {}, wandb=False)
    folders = [finish(job, tmp_path / "out") for job in jobs]
    assert "3 runs: 3 done" in cli("sweep", path, "--out", "out", "--dry-run").stdout
    (folders[1] / "result.json").write_text('{"method": "Soul')
    done = cli("sweep", path, "--out", "out", "--dry-run")
    assert done.returncode == 0
    assert [line.split()[1] for line in done.stdout.splitlines()[:3]] == ["done", "open", "done"]
    assert f"{jobs[1].id}/result.json is damaged" in done.stderr
    assert "this run is open again" in done.stderr
    assert states_of(jobs, tmp_path / "out")[jobs[1].id] == "open"
    forget(jobs, tmp_path / "out")
    assert {job.state(tmp_path / "out") for job in jobs} == {"open"}


def test_runs_of_an_earlier_form_of_the_sweep_are_left_out(tmp_path, sweep, cli):
    root = tmp_path / "out"
    before = sweep_jobs(read_sweep(str(sweep({"seed": [0, 1]}))), {}, wandb=False)
    after = sweep_jobs(read_sweep(str(sweep({"seed": [1, 2]}))), {}, wandb=False)
    for job in (*before, after[1]):
        finish(job, root)
    assert cli("results", root, "--by=seed", "--format=csv").stdout.count("\n") == 4
    write_plan(root, ((job.set, job.id) for job in after))
    done = cli("results", root, "--by=seed", "--format=csv")
    assert [line.split(",")[0] for line in done.stdout.splitlines()[1:]] == ["1", "2"]
    assert "1 run is no part of the present tiny" in done.stderr
    write_plan(root, [("tiny", "0" * 16), ("other", after[0].id)])
    assert "an earlier form of tiny" in cli("results", root).stderr


def test_verify_names_what_was_altered(tmp_path, sweep, cli):
    root = tmp_path / "out"
    jobs = sweep_jobs(read_sweep(str(sweep({"seed": [0, 1, 2]}))), {}, wandb=False)
    folders = [finish(job, root) for job in jobs]
    assert cli("results", root, "--verify").returncode == 0
    Image.new("RGB", (8, 8), "red").save(folders[0] / "output.png")
    (folders[1] / "result.json").write_text("{")
    done = cli("results", root, "--verify")
    assert done.returncode == 2
    assert sorted(done.stdout.splitlines()) == sorted(
        [
            f"{folders[0]}: altered since the run, or gone: output.png",
            f"{folders[1]}/result.json is damaged (JSONDecodeError)",
        ]
    )
    assert "3 runs: 2 damaged or altered" in done.stderr


def test_a_picture_replaced_after_planning_fails_its_run(tmp_path, mask, sweep):
    picture = tmp_path / "photo.png"
    Image.new("RGB", (451, 300), "grey").save(picture)
    path = sweep({"seed": [0]}, image=str(picture))
    (job,) = sweep_jobs(read_sweep(str(path)), {}, wandb=False)
    folder = job.folder(tmp_path)
    Image.new("RGB", (451, 300), "red").save(picture)
    (outcome,) = make_jobs([job], tmp_path)
    assert outcome.state == "failed"
    assert f"{picture} has changed since this run was planned" in outcome.reason
    assert not (folder / "result.json").exists()


def test_only_missing_leaves_what_other_code_has_finished(tmp_path, sweep, monkeypatch):
    path = str(sweep({"seed": [0, 1]}))
    with monkeypatch.context() as earlier:
        earlier.setattr("experiments.campaigns.job.own_version", lambda: "0.1.9")
        first, _ = sweep_jobs(read_sweep(path), {}, wandb=False)
        finish(first, tmp_path)
    jobs = sweep_jobs(read_sweep(path), {}, wandb=False)
    assert [job.state(tmp_path) for job in jobs] == ["open", "open"]
    same, new = with_earlier(jobs, tmp_path)
    assert (same.id, same.state(tmp_path)) == (first.id, "done")
    assert (new.id, new.state(tmp_path)) == (jobs[1].id, "open")
