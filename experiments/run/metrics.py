"""Metrics by name: the files of configs/evaluation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import yaml

from datamodules.support.errors import AtelierError
from datamodules.support.suggestions import there_are
from experiments.run.configuration import EMBEDDED, UNDER
from experiments.run.registry import METRICS, path_of

PAPER = "paper"
ALL = "all"  # in place of names
ON_REQUEST = ("piq_dists", "piq_lpips")  # second readings, which take as long as the first


def judges_of(models: str) -> str:
    """The set of metrics for runs of a preset: the papers' networks, or those of packages."""
    return EMBEDDED if UNDER.get(models, models) == EMBEDDED else PAPER


def metrics_by_name(models: str, names: Sequence[str] | None = None) -> dict[str, dict[str, Any]]:
    """The metrics' configurations, as `Suite` takes them.

    models: a file of configs/evaluation. names: some of its metrics, (ALL,) for all, None for all
    but those on request. Raises AtelierError for an unknown name.
    """
    path = path_of(models, METRICS, "set of metrics")
    specs = yaml.safe_load(path.read_text(encoding="utf-8"))
    if names is None:
        names = [name for name in specs if name not in ON_REQUEST]
    elif ALL in names:
        names = list(specs)
    names = [name.strip() for name in names]
    if unknown := [name for name in names if name not in specs]:
        raise AtelierError(
            f"There is no metric {unknown[0]!r} in {path.name}{there_are(unknown[0], specs)}"
        )
    return {name: specs[name] for name in names}
