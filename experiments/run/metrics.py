"""Metrics by name, those of configs/evaluation, or by the path of a class."""

from __future__ import annotations

from collections.abc import Sequence
from pkgutil import resolve_name
from typing import Any

import yaml

from datamodules.support.errors import AtelierError, reason
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

    models: a file of configs/evaluation. names: some of its metrics, or own ones by the path of
    their class; ALL for all of the file, None for all but those on request. Raises AtelierError for
    an unknown name.
    """
    path = path_of(models, METRICS, "set of metrics")
    specs = yaml.safe_load(path.read_text(encoding="utf-8"))
    if names is None:
        names = [name for name in specs if name not in ON_REQUEST]
    names = [name.strip() for name in names]
    if ALL in names:
        names = [*specs, *(name for name in names if is_class(name))]
    specs |= {name: {"class_path": _metric_class(name)} for name in names if is_class(name)}
    if unknown := [name for name in names if name not in specs]:
        raise AtelierError(
            f"There is no metric {unknown[0]!r} in {path.name}{there_are(unknown[0], specs)}"
        )
    return {name: specs[name] for name in names}


def is_class(name: str) -> bool:
    """Whether a metric's name is the path of a class: "my_metrics.Sharpness"."""
    return "." in name and name.rpartition(".")[2][:1].isupper()


def _metric_class(path: str) -> str:
    """The path, if it is that of a metric's class; else AtelierError."""
    from evaluation.metrics.base import PictureMetric

    try:
        metric = resolve_name(path)
    except (ImportError, AttributeError, ValueError) as error:
        raise AtelierError(f"There is no metric {path} ({reason(error)}); check it") from error
    if not (isinstance(metric, type) and issubclass(metric, PictureMetric)):
        raise AtelierError(f"{path} is no metric; give a subclass of {PictureMetric.__name__}")
    return path
