"""Metrics by name, those of configs/evaluation, or by the path of a class."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path
from pkgutil import resolve_name
from typing import Any

from datamodules.support import outside
from datamodules.support.errors import AtelierError, reason
from datamodules.support.suggestions import there_are
from datamodules.support.yaml_files import read_yaml
from experiments.run.configuration import EMBEDDED, UNDER
from experiments.run.own_code import folder_of, has_form, with_code
from experiments.run.registry import METRICS, path_of

PAPER = "paper"
ALL = "all"  # in place of names
ON_REQUEST = ("piq_dists", "piq_lpips")  # second readings, which take as long as the first


def judges_of(models: str) -> str:
    """The set of metrics for runs of a preset: the papers' networks, or those of packages."""
    return EMBEDDED if UNDER.get(models, models) == EMBEDDED else PAPER


def metrics_by_name(models: str, names: Sequence[str] | None = None) -> dict[str, dict[str, Any]]:
    """The metrics' configurations, as `Suite` takes them.

    models: a file of configs/evaluation, or the path of a YAML file. names: some of its metrics, or
    own ones by the path of their class or by the name that an installed package gives them; ALL for
    all of these, None for all of the file but those on request. Raises AtelierError for an unknown
    name.
    """
    path = path_of(models, METRICS, "set of metrics")
    specs = read_yaml(path, "set of metrics")
    if not isinstance(specs, dict) or not all(map(_is_spec, specs.values())):
        raise AtelierError(f"{path} is no set of metrics; write NAME: {{class_path: MODULE.CLASS}}")
    _ = with_code(specs, None if path.parent == METRICS else path.parent)
    if names is None:
        names = [name for name in specs if name not in ON_REQUEST]
    names = [name.strip() for name in names]
    if ALL in names:
        others = [name for name in outside.names("metrics") if name not in specs]
        names = [*specs, *others, *(name for name in names if has_form(name))]
    return {name: specs[name] if name in specs else _others(name, path, specs) for name in names}


def _is_spec(spec: Any) -> bool:
    return isinstance(spec, dict) and isinstance(spec.get("class_path"), str)


def _others(name: str, path: Path, specs: Collection[str]) -> dict[str, str]:
    """A metric that no set of ours has: a class, or one that an installed package adds."""
    if has_form(name):
        return {"class_path": _metric_class(name)}
    if entry := outside.find("metrics", name):
        return {"class_path": _metric_class(entry.class_path)}
    every = [*specs, *outside.names("metrics")]
    raise AtelierError(f"There is no metric {name!r} in {path.name}{there_are(name, every)}")


def _metric_class(path: str) -> str:
    """The path, if it is that of a metric's class; else AtelierError."""
    from evaluation.metrics.base import PictureMetric

    folder_of(path)
    try:
        metric = resolve_name(path)
    except (ImportError, AttributeError, ValueError) as error:
        raise AtelierError(f"There is no metric {path} ({reason(error)}); check it") from error
    if not (isinstance(metric, type) and issubclass(metric, PictureMetric)):
        raise AtelierError(f"{path} is no metric; give a subclass of {PictureMetric.__name__}")
    return path
