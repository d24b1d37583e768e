"""A sweep's YAML as the settings of its runs: every combination, or a random sample.

    title: what is asked
    method: soulstyler                  # or several, as everything here: [soulstyler, fusion]
    models: embedded
    fixed: {image: skimage:chelsea, object: cat, style: fire, steps: 60}
    grid:                               # every combination of these
      model.tau: {from: 0.1, to: 0.95, step: 0.05}
      seed: [0, 1, 2]
    random:                             # or, with a grid or without, so many draws of these
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
from pathlib import Path
from typing import Any

import yaml

from datamodules.support.errors import AtelierError
from experiments.run.registry import SWEEPS, path_of

KEYS = {"title", "method", "models", "fixed", "grid", "random", "set"}
MOST_RUNS = 100_000  # more are a mistake


def read_sweep(name: str) -> dict[str, Any]:
    """A sweep's YAML, shipped or a file; AtelierError says which key is wrong."""
    path = Path(name) if Path(name).suffix in (".yaml", ".yml") else path_of(name, SWEEPS, "sweep")
    try:
        sweep = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise AtelierError(f"There is no sweep at {path}; check the path") from error
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        words = " ".join(str(error).split())
        raise AtelierError(f"{path} is no YAML that can be read ({words}); mend it") from error
    if not isinstance(sweep, dict) or not sweep.keys() & {"grid", "random"}:
        raise AtelierError(f"{path} has neither grid nor random; say what is to vary")
    if unknown := sweep.keys() - KEYS:
        raise AtelierError(
            f"{path} has the unknown key {min(unknown)!r}; there are {', '.join(sorted(KEYS))}"
        )
    return {"name": path.stem, **sweep}


def combinations(sweep: dict[str, Any]) -> list[dict[str, Any]]:
    """The varied settings of every run, in order; each {name: value}."""
    grid = {name: values_of(name, given) for name, given in (sweep.get("grid") or {}).items()}
    for name in ("method", "models"):
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


def values_of(name: str, given: Any) -> list[Any]:
    """A list as it is, or {from, to, step} as the numbers that it means, the last included."""
    if isinstance(given, list) and given:
        return given
    if isinstance(given, dict) and given.keys() == {"from", "to", "step"}:
        low, high, step = (given[key] for key in ("from", "to", "step"))
        if all(isinstance(v, (int, float)) for v in (low, high, step)) and step > 0 and low <= high:
            count = math.floor((high - low) / step + 1e-9) + 1
            return [round(low + k * step, 10) for k in range(count)]
    raise AtelierError(
        f"{name} in the sweep's grid is {given!r}; give a list of values or "
        "{from: 0.1, to: 0.9, step: 0.1}"
    )


def _draws(given: dict[str, Any] | None) -> list[dict[str, Any]]:
    """Random settings, the same for the same seed."""
    if not given:
        return [{}]
    if given.keys() - {"count", "seed", "over"} or not isinstance(given.get("over"), dict):
        raise AtelierError("random in the sweep takes count, seed and over: {SETTING: {low, high}}")
    chance = random.Random(given.get("seed", 0))
    return [
        {name: _drawn(name, span, chance) for name, span in given["over"].items()}
        for _ in range(given.get("count", 10))
    ]


def _drawn(name: str, span: Any, chance: random.Random) -> Any:
    if isinstance(span, list) and span:
        return chance.choice(span)
    try:
        low, high, log = float(span["low"]), float(span["high"]), span.get("log", False)
        if log:
            return round(math.exp(chance.uniform(math.log(low), math.log(high))), 12)
        return round(chance.uniform(low, high), 12)
    except (TypeError, KeyError, ValueError, AttributeError) as error:
        raise AtelierError(
            f"{name} in the sweep's random.over is {span!r}; give a list, or "
            "{low: 0.001, high: 0.1, log: true}"
        ) from error
