"""A sweep's YAML as jobs: every combination of settings, or a random sample.

    title: the question
    method: soulstyler                  # or several: [soulstyler, fusion]
    models: embedded                    # or several
    fixed: {image: skimage:chelsea, object: cat, style: fire, steps: 60}
    set: demo                           # instead of image, object and style: a benchmark set's
    grid:                               # every combination of these
      model.tau: {from: 0.1, to: 0.95, step: 0.05}
      seed: [0, 1, 2]
    random:                             # with or without a grid: so many draws of these
      count: 20
      seed: 0
      over: {model.optimizer.lr: {low: 1.0e-4, high: 1.0e-2, log: true}}

Settings have their dotted names (docs/methods.md, `atelier fit --help`), or those of the short
options of `atelier stylize`: image, object, style, seed, steps, size, parser, ...
"""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from datamodules.support.errors import AtelierError
from experiments.campaigns.job import Job
from experiments.campaigns.plan import SPECIAL, make_job, picture_name
from experiments.run.configuration import EMBEDDED
from experiments.run.registry import SWEEPS, path_of

KEYS = {"title", "method", "models", "fixed", "grid", "random", "set"}
MOST_RUNS = 100_000  # more are a mistake


def read_sweep(name: str) -> dict[str, Any]:
    """A sweep's YAML, shipped or a file, with its "name"; AtelierError says which key is wrong."""
    path = Path(name) if Path(name).suffix in (".yaml", ".yml") else path_of(name, SWEEPS, "sweep")
    try:
        sweep = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise AtelierError(f"There is no sweep at {path}; check the path") from error
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        reason = " ".join(str(error).split())
        raise AtelierError(f"{path} cannot be read as YAML ({reason}); mend it") from error
    if not isinstance(sweep, dict) or not sweep.keys() & {"grid", "random"}:
        raise AtelierError(f"{path} has neither grid nor random; name the settings that vary")
    if unknown := sweep.keys() - KEYS:
        raise AtelierError(
            f"{path} has the unknown key {min(unknown)!r}; there are {', '.join(sorted(KEYS))}"
        )
    return {"name": path.stem, **sweep}


def sweep_jobs(sweep: Mapping[str, Any], overrides: Mapping[str, Any], wandb: bool) -> list[Job]:
    """One job per picture and combination. overrides: settings that precede all others."""
    fixed = {name: sweep[name] for name in SPECIAL if isinstance(sweep.get(name), str)}
    fixed |= sweep.get("fixed") or {}
    jobs = []
    for settings, labels in _entries(sweep):
        for varied in combinations(sweep):
            values = {**fixed, **settings, **varied, **overrides}
            jobs.append(make_job(values, {**labels, **varied}, sweep["name"], wandb))
    return jobs


def _entries(sweep: Mapping[str, Any]) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """Settings and labels of the pictures: those of a benchmark set, or of `fixed`."""
    if "set" not in sweep:
        fixed = sweep.get("fixed") or {}
        target = {name: fixed[name] for name in ("object", "style") if name in fixed}
        return [({}, {"picture": picture_name(str(fixed.get("image", ""))), **target})]
    from datamodules.benchmarks.sets import load_set

    return [
        ({"image": e.image, "seed": e.seed, **e.settings}, {**e.labels, "picture": e.picture})
        for e in load_set(sweep["set"]).entries
    ]


def models_of(sweep: Mapping[str, Any]) -> str:
    """The preset of models of a sweep, the first of several."""
    models = sweep.get("models") or EMBEDDED
    return models if isinstance(models, str) else models[0]


def combinations(sweep: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The settings that vary, of every run in order."""
    grid = {name: values_of(name, span) for name, span in (sweep.get("grid") or {}).items()}
    for name in SPECIAL:
        if isinstance(sweep.get(name), list):
            grid[name] = sweep[name]
    count = math.prod(map(len, grid.values())) * (sweep.get("random") or {}).get("count", 1)
    if count > MOST_RUNS:
        raise AtelierError(f"The sweep {sweep['name']} has {count} runs; {MOST_RUNS} are the most")
    draws = _draws(sweep.get("random"))
    return [
        dict(zip(grid, combination, strict=True)) | draw
        for draw in draws
        for combination in itertools.product(*grid.values())
    ]


def values_of(name: str, span: Any) -> list[Any]:
    """A list as it is, or {from, to, step} as numbers, the last included."""
    if isinstance(span, list) and span:
        return span
    if isinstance(span, dict) and span.keys() == {"from", "to", "step"}:
        low, high, step = (span[key] for key in ("from", "to", "step"))
        if all(isinstance(v, (int, float)) for v in (low, high, step)) and step > 0 and low <= high:
            count = math.floor((high - low) / step + 1e-9) + 1
            return [round(low + k * step, 10) for k in range(count)]
    raise AtelierError(
        f"{name} in the sweep's grid is {span!r}; give a list of values or "
        "{from: 0.1, to: 0.9, step: 0.1}"
    )


def _draws(chance: Mapping[str, Any] | None) -> list[dict[str, Any]]:
    """Random settings, the same for the same seed."""
    if not chance:
        return [{}]
    if chance.keys() - {"count", "seed", "over"} or not isinstance(chance.get("over"), dict):
        raise AtelierError("random in the sweep takes count, seed and over: {SETTING: {low, high}}")
    generator = random.Random(chance.get("seed", 0))
    return [
        {name: _draw(name, span, generator) for name, span in chance["over"].items()}
        for _ in range(chance.get("count", 10))
    ]


def _draw(name: str, span: Any, generator: random.Random) -> Any:
    """One value of a list, or between low and high."""
    if isinstance(span, list) and span:
        return generator.choice(span)
    try:
        low, high, log = float(span["low"]), float(span["high"]), span.get("log", False)
        if log:
            return round(math.exp(generator.uniform(math.log(low), math.log(high))), 12)
        return round(generator.uniform(low, high), 12)
    except (TypeError, KeyError, ValueError, AttributeError) as error:
        raise AtelierError(
            f"{name} in the sweep's random.over is {span!r}; give a list, or "
            "{low: 0.001, high: 0.1, log: true}"
        ) from error
