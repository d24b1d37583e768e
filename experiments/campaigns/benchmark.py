"""A benchmark set as jobs: every picture and style by every method that can serve them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from datamodules.benchmarks.own_folder import folder_set
from datamodules.benchmarks.sets import BenchmarkSet, load_set
from datamodules.support.errors import AtelierError
from datamodules.task import BACKGROUND
from experiments.campaigns.job import Job
from experiments.campaigns.plan import check_method, make_job
from experiments.run.registry import METHODS, path_of


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
) -> tuple[list[Job], dict[str, str]]:
    """The jobs, and by method why it is left out where it cannot serve.

    overrides: settings that precede the set's. Raises AtelierError for an unknown method.
    """
    jobs, refusals = [], {}
    for method in dict.fromkeys(methods):
        path_of(method, METHODS, "method")
        for entry in benchmark.entries:
            if refusal := _refusal(method, entry.settings):
                refusals[method] = refusal
                continue
            values = {"method": method, "models": models, "image": entry.image, "seed": entry.seed}
            labels = {"picture": entry.picture, **entry.labels, "seed": entry.seed}
            values |= {**entry.settings, **overrides}
            jobs.append(make_job(values, labels, benchmark.name, wandb))
    return jobs, refusals


def _refusal(method: str, settings: Mapping[str, str]) -> str:
    """Why a method cannot serve an entry, as far as this is clear before parsing; "" if it can."""
    pairs = json.loads(settings.get("data.targets", "{}"))
    if not pairs:
        pairs = {settings.get("data.object", ""): settings.get("data.style", "")}
        if settings.get("data.background_style"):
            pairs[BACKGROUND] = settings["data.background_style"]
    try:
        check_method(method, pairs)
    except AtelierError as error:
        return str(error)
    return ""
