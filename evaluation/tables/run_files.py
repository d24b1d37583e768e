"""Reading the files of tens of thousands of run folders at once, by DuckDB.

A damaged file makes its run an open or a failed one; the others are read all the same.
"""

from __future__ import annotations

import contextlib
import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from datamodules.run_folder import (
    CONFIG,
    FAILURE,
    JOB,
    PARSE,
    RESULT,
    RunFolder,
)
from datamodules.run_records import FORMAT, FailureRecord, JobRecord, Result, newer_format
from datamodules.support.extras import require_extra
from evaluation.tables.run import Run

if TYPE_CHECKING:
    import duckdb

DAMAGED = f"{RESULT} is damaged; the run is open, and the command that began it makes it again"
Names = frozenset[str]  # of a run's files
Files = Mapping[str, dict[str, Any] | None]  # entries of a run's files by file name


def _shape(kind: type, *names: str) -> str:
    """DuckDB's description of some entries of a record. "JSON" is parsed in Python, which is faster
    than to take over DuckDB's maps.
    """
    kinds = {entry.name: entry.type for entry in fields(kind)}
    return json.dumps({name: "VARCHAR" if kinds[name] == "str" else "JSON" for name in names})


SHAPES = {
    RESULT: _shape(
        Result, "format", "method", "encoder", "seed", "metrics", "unavailable", "seconds"
    ),
    JOB: _shape(JobRecord, "set", "labels", "command"),
    FAILURE: _shape(FailureRecord, "reason"),
}
# Damaged files are NULL. DuckDB takes some characters in names for patterns, for which it has no
# escape that holds for all: such files are read in Python.
_PARSE = (
    "SELECT filename, CASE WHEN TRY(json_type(text)) = 'OBJECT' THEN TRY(from_json(text, $shape))"
    " END FROM (SELECT filename, TRY(decode(content)) AS text FROM {})"
)
_READ_FILES = _PARSE.format("read_blob($paths)")
_READ_BYTES = _PARSE.format(
    "(SELECT unnest($paths::VARCHAR[]) AS filename, unnest($contents::BLOB[]) AS content)"
)
_PATTERN = re.compile(r"[*?\[]")


def connect() -> duckdb.DuckDBPyConnection:
    """An empty database in memory that never loads extensions from a network."""
    require_extra("duckdb", "report")
    import duckdb

    quiet = {"autoinstall_known_extensions": False, "autoload_known_extensions": False}
    return duckdb.connect(config=quiet)


def read_files(root: Path, folders: Mapping[str, Names]) -> dict[str, Run]:
    """Runs by folder, relative to the root. folders: each with the names of its files."""
    top = str(root.absolute())  # DuckDB would expand "~" and "http:" in relative paths
    read: dict[str, dict[str, dict]] = {}
    with connect() as connection:
        for name in SHAPES:
            paths = {f"{top}/{at}/{name}": at for at, names in folders.items() if name in names}
            rows = _query(connection, SHAPES[name], list(paths)) if paths else []
            read[name] = {paths[path]: row for path, row in rows if row is not None}
    return {
        folder: _run(root, folder, names, {name: read[name].get(folder) for name in SHAPES})
        for folder, names in folders.items()
    }


def _query(connection: duckdb.DuckDBPyConnection, shape: str, paths: Sequence[str]) -> list[tuple]:
    """Each path with the entries of its JSON file, None if it is damaged; a file that cannot be
    read is left out.
    """
    import duckdb

    plain = [path for path in paths if not _PATTERN.search(path)]
    try:
        rows = connection.execute(_READ_FILES, {"shape": shape, "paths": plain}).fetchall()
    except duckdb.Error:  # one unreadable file fails the whole query; halving isolates it
        half = len(plain) // 2
        parts = (plain[:half], plain[half:]) if half else ()
        rows = [row for part in parts for row in _query(connection, shape, part)]
    if odd := [path for path in paths if _PATTERN.search(path)]:
        contents = {}
        for path in odd:
            with contextlib.suppress(OSError):
                contents[path] = Path(path).read_bytes()
        values = {"shape": shape, "paths": list(contents), "contents": list(contents.values())}
        rows += connection.execute(_READ_BYTES, values).fetchall()
    return rows


def _run(root: Path, folder: str, names: Names, files: Files) -> Run:
    """A run from the entries of its files."""
    result, job = files[RESULT] or {}, files[JOB] or {}
    failure, scores = _scores(result, RESULT in names)
    labels: dict[str, Any] = {}
    try:
        if JOB not in names:
            labels = _labels(root / folder, names, result)
        elif not job.get("labels"):
            raise ValueError
        else:
            labels = _object(job["labels"])
    except ValueError:  # without labels it would be counted among runs of other settings
        failure = f"{JOB} is damaged or has no labels; make the run again"
    if RESULT not in names:
        failure = (files[FAILURE] or {}).get("reason") or f"it failed; {FAILURE} does not say why"
    # Loading is the program's, not the method's: a worker of a sweep loads once for many runs.
    stages = (value for name, value in scores["seconds"].items() if name != "load")
    seconds = map(_number, stages)
    return Run(
        folder=folder,
        set=job.get("set") or "",
        labels={name: _scalar(value) for name, value in labels.items()},
        method=result.get("method") or str(labels.get("method") or ""),
        metrics={name: _number(value) for name, value in scores["metrics"].items()},
        unavailable={name: str(why) for name, why in scores["unavailable"].items()},
        seconds=math.fsum(value for value in seconds if value is not None),
        encoder=result.get("encoder") or "",
        failure=failure,
        command=job.get("command") or "",
    )


def _scores(result: Mapping[str, Any], exists: bool) -> tuple[str, dict[str, dict]]:
    """Why a result cannot be used, "" if it can, and its mappings."""
    empty: dict[str, dict] = {"metrics": {}, "unavailable": {}, "seconds": {}}
    version = result.get("format") or ""
    if version.isdecimal() and int(version) > FORMAT:
        return newer_format(RESULT, int(version)), empty
    try:
        if exists and not result:
            raise ValueError
        return "", {name: _object(result.get(name)) for name in empty}
    except ValueError:
        return DAMAGED, empty


def _object(text: str | None) -> dict:
    """A JSON object, {} for nothing; ValueError for anything else."""
    value = json.loads(text) if text else None
    if not isinstance(value, dict | None):
        raise ValueError
    return value or {}


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and math.isfinite(value) else None


def _scalar(value: object) -> object:
    """A label that can be compared, and written anywhere."""
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False)
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


# --- labels of runs that no bench or sweep has made

# config.yaml is written by a library in one way, where two lines are matched at once, while parsing
# YAML takes most of a millisecond; any other form is parsed as YAML.
_IMAGE = re.compile(r"^data:\n  image: ([\w:./-]+)\n(?! {3})", re.MULTILINE)
_MODEL = re.compile(r"^model:\n  class_path: ([\w.]+)\n(?! {3})", re.MULTILINE)


def _labels(folder: Path, names: Names, result: Mapping[str, Any]) -> dict[str, Any]:
    """Labels from a run's own files, as far as these tell them."""
    run = RunFolder(folder, strict=False)
    model, image = _model_and_image(run) if CONFIG in names else ("", "")
    # The method's name is that of its module, as in labels of a bench.
    method = model.split(".")[-2] if model.count(".") > 1 else result.get("method")
    object_, style = _first_target(run) if PARSE in names else (None, None)
    labels = {
        "method": method,
        "picture": Path(image.removeprefix("skimage:")).stem or None,
        "object": object_,
        "style": style,
        "seed": json.loads(result.get("seed") or "null"),
    }
    return {name: value for name, value in labels.items() if value is not None}


def _model_and_image(run: RunFolder) -> tuple[str, str]:
    """The model's class and the picture of a configuration, "" for a missing one."""
    model, image = _MODEL.search(run.config_text), _IMAGE.search(run.config_text)
    if model and image:
        return model[1], image[1]
    return tuple(str(run.setting(name) or "") for name in ("model.class_path", "data.image"))


def _first_target(run: RunFolder) -> tuple[str | None, ...]:
    """Object, with its exceptions, and style of the first target."""
    for target in run.targets:
        # JSON can hold halves of characters, which UTF-8 cannot.
        texts = (text.encode("utf-8", "replace") for text in (target.area.name, target.style))
        return tuple(text.decode() for text in texts)
    return None, None
