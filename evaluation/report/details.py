"""What a report shows of one run beside its scores, read from the files of its folder."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

POINTS = 120  # of a loss's curve, which is drawn small


@dataclass(frozen=True)
class Details:
    """What the files of a run folder say; empty where a file is missing or damaged.

    config: the text of config.yaml. targets: (object, style) as understood.
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
    """The details of a run folder. A report is about what there is, so nothing is refused."""
    result = _json(folder / "result.json")
    result = result if isinstance(result, dict) else {}
    versions, steps = result.get("versions"), result.get("steps")
    return Details(
        config=_text(folder / "config.yaml"),
        targets=_targets(_json(folder / "parse.json")),
        losses=read_losses(_text(folder / "losses.csv")),
        versions={k: str(v) for k, v in versions.items()} if isinstance(versions, dict) else {},
        steps=steps if isinstance(steps, int) else None,
        date=_date(folder / "result.json"),
    )


def read_losses(text: str, points: int = POINTS) -> dict[str, list[float | None]]:
    """Columns of a losses.csv, every k-th row and the last, so that at most `points` are left."""
    try:
        rows = list(csv.DictReader(text.splitlines()))
    except csv.Error:
        return {}
    if not rows or "step" not in rows[0]:
        return {}
    stride = max(1, math.ceil((len(rows) - 1) / (points - 1)))
    kept = rows[::stride]
    if kept[-1] is not rows[-1]:
        kept[-1:] = [kept[-1], rows[-1]] if len(kept) < points else [rows[-1]]
    return {name: [_number(row.get(name)) for row in kept] for name in rows[0] if name}


def _number(text: str | None) -> float | None:
    try:
        value = float(text or "")
    except ValueError:
        return None
    return float(f"{value:.5g}") if math.isfinite(value) else None


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _json(path: Path) -> Any:
    try:
        return json.loads(_text(path))
    except ValueError:
        return None


def _targets(parsed: Any) -> tuple[tuple[str, str], ...]:
    rows = parsed if isinstance(parsed, list) else []
    found = ((r.get("object"), r.get("style")) for r in rows if isinstance(r, dict))
    return tuple((str(name or ""), str(style or "")) for name, style in found)


def _date(path: Path) -> str:
    try:
        return datetime.fromtimestamp(path.stat().st_mtime, UTC).date().isoformat()
    except OSError:
        return ""
