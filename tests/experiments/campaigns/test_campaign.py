"""Campaigns: counts, the last line, and the exit code."""

from dataclasses import dataclass

import pytest

from experiments.campaigns.campaign import run_campaign
from experiments.campaigns.grid import read_sweep, sweep_jobs
from experiments.campaigns.making import Outcome
from experiments.campaigns.options import CampaignOptions
from experiments.campaigns.workers import Workers


@dataclass(frozen=True)
class Ending(Workers):
    """Workers with whom every run ends in one state."""

    state: str = "done"

    def run(self, jobs, root):
        return (Outcome(job.id, self.state, "for a reason") for job in jobs)


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
    said = capsys.readouterr().err.splitlines()
    assert said[-1] == f"{tmp_path / 'out'}: {line}"
    if state in ("failed", "open"):
        assert sum("for a reason" in words for words in said) == 2
