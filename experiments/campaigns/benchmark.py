"""A benchmark set as jobs: every picture and style by every method that can serve them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from pkgutil import resolve_name
from typing import Any

from datamodules.benchmarks.own_folder import folder_set
from datamodules.benchmarks.sets import BenchmarkSet, load_set
from datamodules.request import Request
from datamodules.support.errors import AtelierError
from datamodules.task import BACKGROUND
from experiments.campaigns.job import Job
from experiments.campaigns.plan import check_method, make_job
from experiments.run.configuration import compose
from experiments.run.registry import find_methods


def read_benchmark(name: str, pictures: str | None, instructions: str | None) -> BenchmarkSet:
    """A set by its name, or a folder of pictures with a file of instructions.

    pictures: folder of a set's pictures that are not shipped.
    """
    if not Path(name).is_dir():
        return load_set(name, Path(pictures) if pictures else None)
    if not instructions:
        raise AtelierError("A folder of pictures needs --instructions FILE, one per line")
    return folder_set(Path(name), Path(instructions))


def benchmark_jobs(
    benchmark: BenchmarkSet,
    methods: Sequence[str],
    models: str,
    overrides: Mapping[str, Any],
    wandb: bool,
    segmenter: Mapping[str, Any] | None = None,
) -> tuple[list[Job], dict[str, str]]:
    """The jobs, and by method why it is left out where it cannot serve.

    overrides: settings that precede the set's. segmenter: its short name as "segmenter" and its
    settings by dotted name, for the methods that `looks_for_objects` admits; a label of their runs.
    Raises AtelierError for an unknown method.
    """
    jobs, refusals = [], {}
    for method in find_methods(methods).values():
        finder = segmenter if segmenter and looks_for_objects(method, models) else {}
        for entry in benchmark.entries:
            if refusal := _refusal(method, entry.settings):
                refusals[method] = refusal
                continue
            values = {"method": method, "models": models, "image": entry.image, "seed": entry.seed}
            labels = {"picture": entry.picture, **entry.labels, "seed": entry.seed}
            labels |= {"segmenter": finder["segmenter"]} if finder else {}
            values |= {**entry.settings, **overrides, **finder}
            jobs.append(make_job(values, labels, benchmark.name, wandb))
    return jobs, refusals


def looks_for_objects(method: str, models: str) -> bool:
    """Whether a method's segmenter looks for what a phrase names.

    The masks of other methods, such as the whole picture or what is salient, are a part of them.
    """
    segmenter = compose(method, models)["data"]["segmenter"]
    return resolve_name(segmenter["class_path"]).needs_phrase


def _refusal(method: str, settings: Mapping[str, str]) -> str:
    """Why a method cannot serve an entry, as far as this is clear before parsing; "" if it can."""
    targets = json.loads(settings.get("data.targets", "{}"))
    if not targets:
        pairs = [(settings.get("data.object", ""), settings.get("data.style", ""))]
        if settings.get("data.background_style"):
            pairs.append((BACKGROUND, settings["data.background_style"]))
        targets = [{"object": name, "style": style} for name, style in pairs]
    try:
        check_method(method, Request(targets=targets).one_by_one())
    except AtelierError as error:
        return str(error)
    return ""
