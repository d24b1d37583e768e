"""The plan of a campaign: jobs from settings as people write them, and their description."""

from __future__ import annotations

import itertools
import json
import statistics
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from datamodules.campaign_folder import RUNS
from datamodules.models.cache import once_per_process
from datamodules.models.published import local_path
from datamodules.models.schemes import by_name
from datamodules.run_folder import RESULT, RunFolder
from datamodules.support.errors import AtelierError
from datamodules.support.files import slug
from datamodules.task import StyleTarget
from experiments.campaigns.job import Job, State
from experiments.run.configuration import (
    EMBEDDED,
    METHOD,
    Configuration,
    compose,
    weights_of,
    with_settings,
)
from experiments.run.options import FILES, SETTINGS, absolute, below
from experiments.run.registry import PARTS, find_method, method_class, part

SPECIAL = ("method", "models")  # what a job has besides settings
PLACE = ("out", "device")  # short options that a campaign sets itself
SHORT = {name: setting for name, setting in SETTINGS.items() if name not in PLACE}
ENOUGH = 200  # runs for the mean of their seconds

composed = once_per_process(compose)


def make_job(
    values: Mapping[str, Any], labels: Mapping[str, Any], set_name: str, wandb: bool
) -> Job:
    """A job from settings as people write them.

    values: by short or dotted name; also "method" and "models", which are no settings.
    labels: beside the method. set_name: the benchmark or sweep. wandb: log to W&B.
    Raises AtelierError for an unknown name or a wrong value.
    """
    method = find_method(values.get("method", METHOD))
    config = composed(method.file or method.class_path, str(values.get("models") or EMBEDDED))
    settings = dict(setting(name, v) for name, v in values.items() if name not in SPECIAL)
    logging: dict[str, Any] = {"wandb.enabled": wandb}
    if wandb:
        logging |= {"wandb.group": set_name, "wandb.tags": [method.name]}
    labels = {"method": "", **labels} | {"method": method.name}
    job = Job(config, settings, labels, logging, set_name)
    _ = job.settled  # a wrong setting is refused now, not in every run
    return job


def dotted(values: Mapping[str, Any]) -> dict[str, Any]:
    """Values by dotted names instead of short ones; AtelierError where both name one setting."""
    names: dict[str, str] = {}
    for name in values:
        other = names.setdefault(SHORT.get(name, name), name)
        if other != name:
            raise AtelierError(f"{other} and {name} are the same setting; leave one of them out")
    return {setting: values[name] for setting, name in names.items()}


def check_method(method: str, targets: Sequence[StyleTarget]) -> None:
    """AtelierError for targets that a method cannot serve."""
    method_class(method).check(targets)


def setting(name: str, value: Any) -> tuple[str, Any]:
    """A setting by its dotted name, with the absolute path of a picture."""
    name = SHORT.get(name, name)
    if "." not in name and name != "seed_everything":
        raise AtelierError(
            f"{name!r} is no setting; give one of {', '.join(SHORT)}, or a dotted name such as "
            "model.tau (docs/methods.md)"
        )
    part(name, value)  # an unknown part is refused now, not in every run
    return name, absolute(value) if name in FILES else value


def picture_name(image: str) -> str:
    """The label of a picture: "boat" for boat.jpg, "rocket" for skimage:rocket."""
    return Path(image).stem.split(":")[-1]


def shard(jobs: Sequence[Job], which: str | None) -> list[Job]:
    """The I-th of N parts of the jobs for "I/N", counted from 1; all for None."""
    if which is None:
        return list(jobs)
    first, _, count = which.partition("/")
    if not (first.isdecimal() and count.isdecimal() and 1 <= int(first) <= int(count)):
        raise AtelierError(f"--shard is {which!r}; give a part and the number of parts, e.g. 1/4")
    return list(jobs)[int(first) - 1 :: int(count)]


def folder_of(name: str, out: str | None = None) -> Path:
    """The folder of a campaign: `out`, or one named after it, whatever characters the name has."""
    return Path(out) if out else Path("runs") / slug(name)


def describe(
    jobs: Sequence[Job], states: Mapping[str, State], root: Path, workers: int
) -> Iterator[str]:
    """The plan line by line: the runs, the weights that they need, and the time.

    states: by id. workers: runs at a time.
    """
    for job in jobs:
        yield f"{job.id}  {states[job.id]:7}  {job.described()}"
    for name in sorted({name for config in _networks(jobs) for name in weights_of(config)}):
        yield f"needs {name}: {'here' if local_path(by_name(name)) else 'MISSING'}"
    done = sum(states[job.id] == "done" for job in jobs)
    seconds = seconds_per_run(root)
    minutes = (len(jobs) - done) * seconds / max(1, workers) / 60
    time = f"about {minutes:.0f} min" if seconds else "unknown, no run is done"
    yield f"{len(jobs)} runs: {done} done, {len(jobs) - done} to make; time: {time}"


def _networks(jobs: Sequence[Job]) -> Iterator[Configuration]:
    """Configurations of the jobs, one of those that agree in method, parts and their settings."""
    by_parts = {
        json.dumps([job.labels["method"], *(below(job.settings, part) for part in PARTS)]): job
        for job in jobs
    }
    for job in by_parts.values():
        yield with_settings(job.config, job.settings)


def seconds_per_run(root: Path) -> float:
    """Mean seconds of the finished runs at or beside a folder; 0 if there are none."""
    beside = (f"*/{RESULT}", f"*/{RUNS}/*/{RESULT}")
    for place, patterns in ((root, (f"{RUNS}/*/{RESULT}",)), (root.parent, beside)):
        files = itertools.chain.from_iterable(map(place.glob, patterns))
        runs = [RunFolder(f.parent, strict=False) for f in itertools.islice(files, ENOUGH)]
        totals = [sum(run.result.seconds.values()) for run in runs]
        if any(totals):
            return statistics.mean(total for total in totals if total)
    return 0.0
