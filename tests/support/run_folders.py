"""Run folders with what a test puts into them, written without running anything."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from PIL import Image

from datamodules.run_folder import (
    CONFIG,
    PARSE,
    RunWriter,
)
from datamodules.run_records import FailureRecord, JobRecord, Result


def write_run(
    folder: Path,
    pictures: Mapping[str, Image.Image] | None = None,
    targets: Sequence[tuple[str, str]] = (),
    config: Mapping[str, Any] | None = None,
    losses: Sequence[Mapping[str, float]] = (),
    result: Mapping[str, Any] | None = None,
    job: Mapping[str, Any] | None = None,
    failure: Mapping[str, Any] | None = None,
) -> Path:
    """Write a run folder; what is not given is not in it.

    pictures: by file name. targets: object and style of each. result, job, failure: the entries of
    the JSON files that differ from those of an empty record.
    """
    writer = RunWriter(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for name, picture in (pictures or {}).items():
        writer.write_picture(name, picture)
    if targets:
        rows = [{"object": name, "style": style, "weight": 1.0} for name, style in targets]
        (folder / PARSE).write_text(json.dumps(rows))
    if config is not None:
        (folder / CONFIG).write_text(json.dumps(config))  # which is YAML, too
    writer.write_losses(losses)
    if result is not None:
        writer.write_result(Result(**result))
    if job is not None:
        writer.write_job(JobRecord(**job))
    if failure is not None:
        writer.write_failure(FailureRecord(**failure))
    return folder
