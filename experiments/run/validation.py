"""Checks of the files that people write, by the code that reads them, up to the first step."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from datamodules.support.errors import AtelierError
from datamodules.support.yaml_files import read_yaml
from experiments.run.configuration import (
    Configuration,
    compose,
    compose_training,
    read_config,
    require_networks,
    with_settings,
)
from experiments.run.metrics import metrics_by_name

if TYPE_CHECKING:
    from experiments.campaigns.grid import Sweep

PICTURE = {"data.image": "skimage:chelsea"}  # for a method, whose file names none
SWEEP_KEYS = {"grid", "random", "search"}
SET_KEYS = {"pictures", "styles", "kind", "licence"}
TRAINING_KEYS = {"folders", "styles", "crop", "batch_size"}


def kind_of(path: Path) -> str:
    """Kind of a file, one of KINDS, by its keys; AtelierError if they tell nothing."""
    content = read_yaml(path, "file")
    keys = content.keys() if isinstance(content, dict) else set()
    if SWEEP_KEYS & keys:
        return "sweep"
    if SET_KEYS & keys:
        return "set"
    if "training" in keys or TRAINING_KEYS & _keys(content, "data", "init_args"):
        return "training"
    if "class_path" in _keys(content, "model"):
        return "configuration" if "encoder" in _keys(content, "model", "init_args") else "method"
    if keys and all("class_path" in _keys(content, key) for key in keys):
        return "metrics"
    raise AtelierError(
        f"{path} is no file of Atelier's: a method and a configuration have model: {{class_path: "
        "...}, a sweep has grid, random or search, a training data: {init_args: ...}, metrics "
        "NAME: {class_path: ...}, a set pictures and styles; say what it is with --kind"
    )


def _keys(content: Any, *path: str) -> set[str]:
    """The keys of the mapping at a place, none where there is no mapping."""
    for key in path:
        content = content.get(key) if isinstance(content, dict) else None
    return set(content) if isinstance(content, dict) else set()


def validate(path: Path, kind: str, models: str) -> str:
    """Check a file, and say in a few words what it holds; AtelierError for the first fault."""
    return KINDS[kind](path, models)


def _method(path: Path, models: str) -> str:
    config = compose(path, models)
    _build(with_settings(config, PICTURE))
    return f"{_class_of(config)} on {models}"


def _configuration(path: Path, models: str) -> str:
    config = read_config(path)
    _build(config)
    return _class_of(config)


def _class_of(config: Configuration) -> str:
    return config["model"]["class_path"].rpartition(".")[2]


def _build(config: Configuration) -> None:
    """Check a configuration as a run does, up to the building of its networks."""
    config = with_settings(config, {})
    data = config.get("data", {})
    _load([data.get("image"), data.get("style_image")])
    require_networks(config)
    from experiments.run.lightning_cli import AtelierCLI

    AtelierCLI.refuse_wrong(config)


def _load(pictures: Iterable[str | None]) -> None:
    """AtelierError for the first picture that cannot be read."""
    from datamodules.images import load_photo

    for picture in filter(None, dict.fromkeys(pictures)):
        load_photo(picture)


def _training(path: Path, models: str) -> str:
    config = with_settings(compose_training(str(path), models), {})
    require_networks(config)
    from experiments.run.train import refuse_wrong

    refuse_wrong(config)
    return _class_of(config)


def _sweep(path: Path, models: str) -> str:
    from experiments.campaigns.grid import read_sweep, sweep_jobs

    sweep = read_sweep(str(path))
    if sweep.search:
        _check_search(sweep)
        return f"{sweep.search.trials} trials"
    jobs = sweep_jobs(sweep, {}, wandb=False)
    settings = [job.settled.settings for job in jobs]
    _load(one.get(name) for one in settings for name in ("data.image", "data.style_image"))
    kinds = {job.kind: job for job in jobs}
    for job in kinds.values():
        require_networks(with_settings(job.config, job.settings))
    return f"{len({job.id for job in jobs})} runs"


def _check_search(sweep: Sweep) -> None:
    """Check goals and settings of a search, with the first and with the last values of all."""
    from experiments.campaigns.goals import goals_of, metrics_of
    from experiments.campaigns.grid import sweep_jobs
    from experiments.campaigns.options import CampaignOptions
    from experiments.campaigns.search import refuse

    refuse(sweep, {}, CampaignOptions())
    goals_of(sweep.search, metrics_of(sweep.search, sweep.models[0], None))
    for place, key in ((0, "low"), (-1, "high")):
        spans = sweep.search.over.items()
        trial = {n: span[place] if isinstance(span, list) else span[key] for n, span in spans}
        sweep_jobs(sweep, {}, wandb=False, trial=trial)


def _metrics(path: Path, models: str) -> str:
    specs = metrics_by_name(str(path))
    from evaluation.suite import check

    for spec in specs.values():
        check(spec)
    return ", ".join(specs)


def _set(path: Path, models: str) -> str:
    from datamodules.benchmarks.sets import load_set

    collection = load_set(str(path.absolute()))
    for why in collection.missing.values():
        raise AtelierError(why)
    return f"{len(collection.entries)} entries"


KINDS: dict[str, Callable[[Path, str], str]] = {
    "method": _method,
    "configuration": _configuration,
    "sweep": _sweep,
    "training": _training,
    "metrics": _metrics,
    "set": _set,
}
