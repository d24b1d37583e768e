"""Campaigns of a report's runs: their title, and the number of runs that they are to have."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from datamodules.campaign_folder import Plan, campaign_of, plans_of
from evaluation.tables.run import Run


def title_of(root: Path, runs: Sequence[Run]) -> str:
    """The title of the one campaign that the runs belong to, else ""."""
    titles = {plan.title for plan in _plans(root, runs).values()}
    return titles.pop() if len(titles) == 1 else ""


def planned(root: Path, runs: Sequence[Run]) -> int:
    """The number of runs with those still to be made; without a plan, those that are there."""
    plans = _plans(root, runs)
    loose = [run for run in runs if (campaign_of(root / run.folder), run.set) not in plans]
    return len(loose) + sum(len(plan.runs) for plan in plans.values())


def _plans(root: Path, runs: Sequence[Run]) -> dict[tuple[Path, str], Plan]:
    """The plans of the runs by folder and campaign, of whole campaigns alone."""
    places = {(campaign_of(root / run.folder), run.set) for run in runs}
    return {
        (folder, name): plan
        for folder, name in places
        if folder.is_relative_to(root.absolute()) and (plan := plans_of(folder).get(name))
    }
