"""Records in the JSON files of a run folder: result, job, failure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields
from pathlib import Path
from typing import Any, TypeVar

FORMAT = 1  # of the folder, in result.json; a folder without one has the first


@dataclass(frozen=True)
class Result:
    """Contents of result.json.

    encoder:    identity of the encoder that was optimised.
    segmenter:  class that found the masks, "" for masks of files.
    style_note: remark of the generator on the style, "" for none.
    mask_confidence: of the segmenter by object, in [0, 1], None where it gives none.
    stop_note:  why config.yaml makes another picture than a run that was ended early, or "".
    runs_together: number of runs that were optimised jointly.
    threads:    of the processor; with another number the last bits of the losses differ.
    metrics:    scores by name, None where one is unavailable or undefined.
    scored:     network of each metric that was applied. unavailable: reason by metric.
    meanings:   of the scores that users' own metrics give: the entries of `Score` by name.
    judged:     scores that a search has judged the run by, as they were then.
    losses:     of the last step; `total` is their weighted sum.
    seconds:    by stage: load, parse, mask, optimise, full, frames, score.
    sha256:     of the pictures by file name, as `atelier results --verify` checks them.
    """

    format: int = FORMAT
    method: str = ""
    encoder: str = ""
    generator: str = ""
    segmenter: str = ""
    style_note: str = ""
    mask_confidence: Mapping[str, float | None] = field(default_factory=dict)
    steps: int = 0
    stop_note: str = ""
    runs_together: int = 1
    seed: int | None = None
    device: str = ""
    threads: int = 0
    metrics: Mapping[str, float | None] = field(default_factory=dict)
    scored: Mapping[str, str] = field(default_factory=dict)
    unavailable: Mapping[str, str] = field(default_factory=dict)
    meanings: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    judged: Mapping[str, float | None] = field(default_factory=dict)
    losses: Mapping[str, float] = field(default_factory=dict)
    seconds: Mapping[str, float] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    sha256: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class JobRecord:
    """Contents of job.json: the place of a run among others.

    set:      benchmark or sweep. labels: identify the run within it.
    settings: by dotted name, over the method's configuration.
    command:  makes the run once more.
    started:  Unix time. limit: seconds until it is ended, 0 for none.
    request:  hash of configuration, settings and input files; id counts code and packages, too.
    host:     name of the machine that makes it. gpus: those that its process may use, as in
              CUDA_VISIBLE_DEVICES, "" for all.
    """

    id: str = ""
    set: str = ""
    labels: Mapping[str, Any] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    command: str = ""
    started: float = 0.0
    limit: float = 0.0
    request: str = ""
    host: str = ""
    gpus: str = ""


@dataclass(frozen=True)
class FailureRecord:
    """Contents of failure.json: why a run has no result. tries: attempts so far."""

    reason: str = ""
    tries: int = 0


@dataclass(frozen=True)
class StopRecord:
    """Contents of stopped.json: a run that was behind others, and has no result for that reason.

    value: of the loss after `step` steps. limit: the highest with which the run would have gone on.
    """

    step: int = 0
    loss: str = ""
    value: float = 0.0
    limit: float = 0.0


Record = TypeVar("Record", Result, JobRecord, FailureRecord, StopRecord)


def newer_format(path: Path | str, version: int) -> str:
    """The sentence about a result that a later version has written."""
    return (
        f"{path} has format {version}, and this version of Atelier reads formats up to {FORMAT}; "
        "update Atelier"
    )


def record(kind: type[Record], raw: Mapping[str, Any]) -> Record:
    """A record of a JSON object; null and missing entries get their defaults, others are ignored.

    Raises TypeError for an entry of another type.
    """
    values = {}
    for entry in fields(kind):
        value = raw.get(entry.name)
        if value is None:
            continue
        default = entry.default if entry.default is not MISSING else entry.default_factory()
        right = {float: (int, float), type(None): int}.get(type(default), type(default))
        if not isinstance(value, right):
            raise TypeError(f"{entry.name} is {value!r}")
        values[entry.name] = value
    return kind(**values)
