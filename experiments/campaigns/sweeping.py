"""A whole sweep: its grid, its random sample or its search, by the command line or from Python."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from experiments.campaigns.campaign import run_campaign
from experiments.campaigns.grid import Sweep, sweep_jobs
from experiments.campaigns.options import CampaignOptions


def run_sweep(sweep: Sweep, overrides: Mapping[str, Any], options: CampaignOptions) -> int:
    """Make, score and report all runs; the exit code: 0 where all are done and scored, else 2.

    overrides: settings that precede all others.
    """
    options.require_packages()
    if sweep.search:
        from experiments.campaigns.search import run_search

        return run_search(sweep, overrides, options)
    jobs = sweep_jobs(sweep, overrides, options.wandb)
    return run_campaign(sweep.name, jobs, sweep.models[0], options, sweep.title)
