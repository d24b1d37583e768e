"""Details of one run beside its scores, for a report."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from datamodules.run_folder import RESULT, RunFolder

POINTS = 120  # of a loss's curve, which is drawn small


@dataclass(frozen=True)
class Details:
    """Contents of a run folder's files; empty where a file is missing or damaged.

    config: the text of config.yaml. targets: (object with its exceptions, style) as parsed.
    losses: "step" and each loss, at most POINTS values, None where one is no number.
    date: day on which the run ended (UTC), "" if unknown.
    """

    config: str = ""
    targets: tuple[tuple[str, str], ...] = ()
    losses: Mapping[str, list[float | None]] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    steps: int | None = None
    date: str = ""


def read_details(folder: Path) -> Details:
    """The details of a run folder; a report refuses nothing."""
    run = RunFolder(folder, strict=False)
    return Details(
        config=run.config_text,
        targets=tuple((target.area.name, target.style) for target in run.targets),
        losses={name: thinned(values) for name, values in run.losses.items()},
        versions={name: str(version) for name, version in run.result.versions.items()},
        steps=run.result.steps or None,
        date=_date(folder / RESULT),
    )


def thinned(values: Sequence[float], points: int = POINTS) -> list[float | None]:
    """Every k-th value and the last, at most `points` in all; None for what is no number."""
    stride = max(1, math.ceil((len(values) - 1) / (points - 1)))
    places = [*range(0, len(values), stride)]
    last = len(values) - 1
    if places and places[-1] != last:
        places[len(places) - (len(places) == points) :] = [last]
    return [_rounded(values[place]) for place in places]


def _rounded(value: float) -> float | None:
    return float(f"{value:.5g}") if math.isfinite(value) else None


def _date(path: Path) -> str:
    try:
        return datetime.fromtimestamp(path.stat().st_mtime, UTC).date().isoformat()
    except OSError:
        return ""
