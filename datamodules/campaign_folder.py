"""The folder of a campaign: runs/ID for each run, and plan.json, which lists the present ones.

Runs of an earlier form of the same sweep, with other settings, code or packages, stay in the
folder. Readers leave them out.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from datamodules.models.cache import once_per_process
from datamodules.support.files import write_json

RUNS, PLAN = "runs", "plan.json"


def write_plan(root: Path, ids: Iterable[tuple[str, str]]) -> None:
    """Note the runs, each by its campaign and id, that these campaigns consist of from now on."""
    plan: dict[str, list[str]] = {}
    for campaign, run in ids:
        plan.setdefault(campaign, []).append(run)
    write_json(root / PLAN, {k: sorted(v) for k, v in _plans(root / PLAN).items()} | plan)


def is_present(run: Path, campaign: str) -> bool:
    """Whether a run belongs to the present form of its campaign; yes where no plan says."""
    ids = _plans(run.absolute().parent.parent / PLAN).get(campaign)
    return ids is None or run.name in ids


@once_per_process(at_most=256)
def _plans(path: Path) -> dict[str, frozenset[str]]:
    """The ids by campaign; {} where there is no plan, or a damaged one."""
    try:
        return {name: frozenset(ids) for name, ids in json.loads(path.read_bytes()).items()}
    except (OSError, ValueError, AttributeError, TypeError):
        return {}
