"""The folder of a campaign: runs/ID for each run, and plan.json, which lists the present ones.

Runs of an earlier form of the same sweep, with other settings, code or packages, stay in the
folder. Readers leave them out.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from datamodules.models.cache import once_per_process
from datamodules.support.files import write_json

RUNS, PLAN = "runs", "plan.json"
PARSERS = "parsers.json"  # of `atelier evaluate-parsers --json`


@dataclass(frozen=True)
class Plan:
    """A campaign's question in words, "" for none, and the ids of its runs."""

    title: str
    runs: frozenset[str]


def write_plan(root: Path, ids: Iterable[tuple[str, str]], title: str = "") -> None:
    """Note the runs, each by its campaign and id, that these campaigns consist of from now on."""
    plans: dict[str, set[str]] = {}
    for campaign, run in ids:
        plans.setdefault(campaign, set()).add(run)
    merged = dict(plans_of(root)) | {k: Plan(title, frozenset(v)) for k, v in plans.items()}
    entries = {k: {"title": p.title, "runs": sorted(p.runs)} for k, p in merged.items()}
    write_json(root / PLAN, entries)


def is_present(run: Path, campaign: str) -> bool:
    """Whether a run belongs to the present form of its campaign; yes where no plan says."""
    plan = plans_of(campaign_of(run)).get(campaign)
    return plan is None or run.name in plan.runs


def campaign_of(run: Path) -> Path:
    """The folder of the campaign that a run would belong to."""
    return run.absolute().parent.parent


def plans_of(root: Path) -> Mapping[str, Plan]:
    """The plans in a campaign's folder by the campaigns' names; {} where there is none, or a
    damaged one.
    """
    return _plans(root / PLAN)


@once_per_process(at_most=256)
def _plans(path: Path) -> dict[str, Plan]:
    try:
        entries = json.loads(path.read_bytes()).items()
        return {name: Plan(str(e["title"]), frozenset(e["runs"])) for name, e in entries}
    except (OSError, ValueError, AttributeError, KeyError, TypeError):
        return {}
