"""A sweep's YAML as jobs: every combination of settings, or a random sample.

    title: the question
    method: soulstyler                  # or several: [soulstyler, my_method.yaml]
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
    search: ...                         # experiments.campaigns.search_file

Settings have their dotted names (docs/methods.md, `atelier fit --help`), or those of the short
options of `atelier stylize`: image, object, style, except, seed, steps, size, parser, ...
"""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, model_validator

from datamodules.support.errors import AtelierError
from datamodules.support.schema import Schema, Seed, Text, validate
from datamodules.support.yaml_files import read_yaml
from experiments.campaigns.job import Job
from experiments.campaigns.plan import dotted, make_job, picture_name
from experiments.campaigns.search_file import Search
from experiments.run.configuration import EMBEDDED, METHOD, beside
from experiments.run.registry import SWEEPS, find_methods, path_of

NONE: Mapping[str, Any] = MappingProxyType({})
MOST_RUNS = 100_000  # more are a mistake

Names = Annotated[
    list[Text],
    BeforeValidator(lambda value: [value] if isinstance(value, str) else value),
    Field(min_length=1, description="a name or a list of names"),
]
Settings = Annotated[
    dict[Text, Any], Field(description="a mapping of settings", default_factory=dict)
]


class Draws(Schema):
    """So many random draws of settings, the same for the same seed."""

    count: Annotated[int, Field(ge=1, description="a whole number, 1 or more")] = 10
    seed: Seed = 0
    over: Annotated[
        dict[Text, Any], Field(description="a mapping {SETTING: {low: ..., high: ...}}")
    ]


class SweepFile(Schema):
    """The form of a sweep's YAML."""

    title: Text = ""
    method: Names = Field(default_factory=lambda: [METHOD])
    models: Names = Field(default_factory=lambda: [EMBEDDED])
    fixed: Settings
    set: Text = ""
    grid: Settings
    random: Draws = Field(default_factory=lambda: Draws(count=1, over={}))
    search: Search | None = None

    @model_validator(mode="after")
    def _varies(self) -> SweepFile:
        if not (self.grid or self.random.over or self.search):
            raise ValueError("there is no grid, random or search; name the settings that vary")
        return self


class Sweep(SweepFile):
    """A sweep with the name of its file."""

    name: str


def read_sweep(source: str | Mapping[str, Any], name: str = "sweep") -> Sweep:
    """A sweep of a YAML, shipped or a file, or of its content; AtelierError names the wrong key.

    name: of a sweep that is no file.
    """
    if isinstance(source, Mapping):
        content = validate(SweepFile, dict(source), "the sweep")
        keys = {key: getattr(content, key) for key in content.model_fields_set}
        return Sweep(name=name, **keys)
    name = source
    path = Path(name) if Path(name).suffix in (".yaml", ".yml") else path_of(name, SWEEPS, "sweep")
    content = validate(SweepFile, read_yaml(path, "sweep"), str(path))
    values = {key: getattr(content, key) for key in content.model_fields_set}
    values["method"] = _besides(content.method, path)
    values["grid"] = _methods_beside(content.grid, path)
    for key in {"random", "search"} & values.keys():
        if values[key]:
            over = _methods_beside(values[key].over, path)
            values[key] = values[key].model_copy(update={"over": over})
    find_methods([*values["method"], *_methods(values["grid"])])  # refuses two of one name
    return Sweep(name=path.stem, **values)


def _methods(settings: Mapping[str, Any]) -> list[str]:
    """The methods among which settings vary."""
    methods = settings.get("method", ())
    return list(map(str, methods)) if isinstance(methods, list) else []


def _methods_beside(settings: Mapping[str, Any], file: Path) -> dict[str, Any]:
    """Settings that vary, with whole paths of the methods that a file names."""
    methods = _methods(settings)
    return {**settings, "method": _besides(methods, file)} if methods else dict(settings)


def _besides(methods: Iterable[str], file: Path) -> list[str]:
    return [beside(method, file) for method in methods]


def sweep_jobs(
    sweep: Sweep, overrides: Mapping[str, Any], wandb: bool, trial: Mapping[str, Any] = NONE
) -> list[Job]:
    """One job per picture and combination.

    overrides: settings that precede all others. trial: further settings, of a search.
    """
    refuse_twice(sweep, overrides)
    fixed = {"method": sweep.method[0], "models": sweep.models[0], **dotted(sweep.fixed)}
    jobs = []
    for settings, labels in _entries(sweep):
        for combination in combinations(sweep):
            varied = combination | trial
            values = {
                **fixed,
                **dotted(settings),
                **dotted(varied),
                **overrides,
            }
            jobs.append(make_job(values, {**labels, **varied}, sweep.name, wandb))
    return jobs


def refuse_twice(sweep: Sweep, overrides: Mapping[str, Any]) -> None:
    """AtelierError for a setting that a sweep has under two names, or varies in two ways."""
    sections = {"grid": sweep.grid, "random": sweep.random.over}
    varying: dict[str, str] = {}
    for section, names in sections.items():
        for setting in dotted(names):
            if setting in varying:
                raise AtelierError(
                    f"{setting} varies in {varying[setting]} and in {section} of the sweep "
                    f"{sweep.name}; leave it out of one of them"
                )
            varying[setting] = section
    dotted(dict.fromkeys(name for names in (sweep.fixed, *sections.values()) for name in names))
    if both := [setting for setting in dotted(overrides) if setting in varying]:
        raise AtelierError(
            f"{both[0]} varies in {varying[both[0]]} of the sweep {sweep.name}, and the command "
            "gives it one value; leave it out of one of them"
        )


def _entries(sweep: Sweep) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """Settings and labels of the pictures: those of a benchmark set, or of `fixed`."""
    if not sweep.set:
        names = ("object", "style", "except")
        target = {name: sweep.fixed[name] for name in names if name in sweep.fixed}
        return [({}, {"picture": picture_name(str(sweep.fixed.get("image", ""))), **target})]
    from datamodules.benchmarks.sets import load_set

    return [
        ({"image": e.image, "seed": e.seed, **e.settings}, {**e.labels, "picture": e.picture})
        for e in load_set(sweep.set).entries
    ]


def combinations(sweep: Sweep) -> list[dict[str, Any]]:
    """The settings that vary, of every run in order."""
    grid = {name: values_of(name, span) for name, span in sweep.grid.items()}
    several = {"method": sweep.method, "models": sweep.models}
    grid |= {name: names for name, names in several.items() if len(names) > 1}
    count = math.prod(map(len, grid.values())) * sweep.random.count
    if count > MOST_RUNS:
        raise AtelierError(f"The sweep {sweep.name} has {count} runs; {MOST_RUNS} are the most")
    return [
        dict(zip(grid, combination, strict=True)) | draw
        for draw in _draws(sweep.random)
        for combination in itertools.product(*grid.values())
    ]


def values_of(name: str, span: Any) -> list[Any]:
    """A list as it is, or {from, to, step} as numbers, the last included."""
    if isinstance(span, list) and span:
        return span
    if isinstance(span, dict) and span.keys() == {"from", "to", "step"}:
        low, high, step = (span[key] for key in ("from", "to", "step"))
        if all(map(_is_number, (low, high, step))) and step > 0 and low <= high:
            count = math.floor((high - low) / step + 1e-9) + 1
            if count > MOST_RUNS:
                raise AtelierError(f"{name} has {count} values; {MOST_RUNS} runs are the most")
            return [round(low + k * step, 10) for k in range(count)]
    raise AtelierError(
        f"{name} in the sweep's grid is {span!r}; give a list of values or "
        "{from: 0.1, to: 0.9, step: 0.1}"
    )


def _is_number(value: Any) -> bool:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return is_number and math.isfinite(value)


def _draws(draws: Draws) -> list[dict[str, Any]]:
    generator = random.Random(draws.seed)
    return [
        {name: _draw(name, span, generator) for name, span in draws.over.items()}
        for _ in range(draws.count)
    ]


def _draw(name: str, span: Any, generator: random.Random) -> Any:
    """One value of a list, or between low and high."""
    if isinstance(span, list) and span:
        return generator.choice(span)
    try:
        low, high, log = span["low"], span["high"], span.get("log", False)
        if not (_is_number(low) and _is_number(high) and low <= high and isinstance(log, bool)):
            raise ValueError(span)
        if span.keys() - {"low", "high", "log"}:
            raise KeyError(span)
        if log:
            return round(math.exp(generator.uniform(math.log(low), math.log(high))), 12)
        return round(generator.uniform(low, high), 12)
    except (TypeError, KeyError, ValueError, AttributeError) as error:
        raise AtelierError(
            f"{name} in the sweep's random.over is {span!r}; give a list, or "
            "{low: 0.001, high: 0.1, log: true}"
        ) from error
