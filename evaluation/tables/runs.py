"""Many finished runs at once: read from their folders, told apart by labels, put together.

A run folder's result.json says what came out; its job.json, if a bench or a sweep made the run,
says by which labels it is told apart, and failure.json why a run has no result. DuckDB reads them
all together, or takes from results.parquet what `consolidate` has put there: a row of that file
counts only as long as the size and the time of every file that it was made from are what they were,
so that no run which was added, scored or made again later is ever overlooked, nor one shown that
has been deleted.
"""

from __future__ import annotations

import ast
import contextlib
import functools
import json
import logging
import math
import os
import re
import statistics
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from datamodules.run_folder import (
    CONFIG,
    FAILURE,
    FORMAT,
    JOB,
    PARSE,
    RESULT,
    FailureRecord,
    JobRecord,
    Result,
    RunFolder,
    find,
    newer_format,
)
from datamodules.support.errors import AtelierError
from datamodules.support.files import atomic

if TYPE_CHECKING:
    import duckdb

    from evaluation.metrics.base import Score

log = logging.getLogger(__name__)

CONSOLIDATED = "results.parquet"
ROOT = Path(__file__).parents[2]
SUITES = ROOT / "configs" / "evaluation"
OWN = "own_"  # begins what the encoder that was optimised says of its own work
SECONDS = "seconds"
CIRCUMSTANCES = ("picture", "object", "style", "seed")  # what means are taken over
VERSION = "1"  # of the rows in results.parquet


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
COLUMNS = {
    "folder": "VARCHAR",
    "set": "VARCHAR",
    "labels": "JSON",
    "method": "VARCHAR",
    "metrics": "MAP(VARCHAR, DOUBLE)",
    "unavailable": "MAP(VARCHAR, VARCHAR)",
    "seconds": "DOUBLE",
    "encoder": "VARCHAR",
    "failure": "VARCHAR",
    "command": "VARCHAR",
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


@dataclass(frozen=True)
class Run:
    """What is known of one run.

    folder: relative to where the runs were looked for, "/"-separated, "." for that place itself.
    set:    of the bench or sweep that it belongs to, "" if none.
    labels: what identifies it and what varies between runs, by name.
    metrics: scores by name, None where one does not apply. unavailable: why not, by metric.
    seconds: sum of the stages, 0 if unknown. encoder: identity of the one that was optimised.
    failure: why there is no result, "" if the run is whole. command: that made it, "" if unknown.
    """

    folder: str
    set: str
    labels: dict[str, Any]
    method: str
    metrics: dict[str, float | None]
    unavailable: dict[str, str]
    seconds: float
    encoder: str
    failure: str
    command: str

    def label(self, name: str) -> Any:
        """A label; beside those given, "method", "set" and "encoder". None if there is none."""
        if name in self.labels:
            return self.labels[name]
        told = {"method": self.method, "set": self.set, "encoder": self.encoder}
        return told.get(name) or None

    @property
    def values(self) -> dict[str, float | None]:
        """All numbers: the scores, and the seconds."""
        return {SECONDS: self.seconds or None} | self.metrics


# --- reading


def read_runs(root: Path) -> list[Run]:
    """The runs at or below a folder, by labels, then by folder; AtelierError if there are none.

    A run whose files are damaged comes as a failed one; runs that have neither finished nor failed
    are left out.
    """
    return [run for run, _ in _read_marked(root)]


def consolidate(root: Path) -> tuple[Path, list[Run]]:
    """Put all runs at or below a folder in its results.parquet, a row each; path and runs."""
    path = root / CONSOLIDATED
    if path.exists() and _rows(path) is None:
        raise AtelierError(
            f"{path} is damaged, or no file of atelier results; move it away, then do this again"
        )
    marked = _read_marked(root, renewing=True)
    rows = ({name: getattr(run, name) for name in COLUMNS} | {"mark": mark} for run, mark in marked)
    write_parquet(path, COLUMNS | {"mark": "VARCHAR"}, rows)
    return path, [run for run, _ in marked]


def _read_marked(root: Path, renewing: bool = False) -> list[tuple[Run, str]]:
    """The runs in order, each with the mark of the state in which its files are."""
    found = _find(root)
    if not found:
        raise AtelierError(f"{root} holds no finished run: no folder in it has a {RESULT}")
    stored = _stored(root / CONSOLIDATED)
    current = {folder: stored[folder][0] for folder in found if _holds(stored, found, folder)}
    later = {folder: files for folder, files in found.items() if folder not in current}
    if stored and later and not renewing:
        log.warning(
            "%s is older than %d of %d runs, whose own files were read; --consolidate renews it",
            root / CONSOLIDATED,
            len(later),
            len(found),
        )
    current |= _read(root, later)
    names = label_names(current[folder] for folder in found)
    runs = sorted(current.values(), key=lambda run: (order(run, names), run.folder))
    return [(run, found[run.folder].mark) for run in runs]


def _holds(stored: Mapping, found: Mapping, folder: str) -> bool:
    return folder in stored and stored[folder][1] == found[folder].mark


@dataclass(frozen=True)
class _Files:
    """The files of a run that say something about it, and the state in which they are."""

    names: frozenset[str]
    mark: str


def _find(root: Path) -> dict[str, _Files]:
    """The finished and the failed runs at or below a folder, in order."""
    if not root.is_dir():
        raise AtelierError(f"There is no folder {root}; give a run folder, or one that holds some")
    found = {}
    for at, files in find(root, (RESULT, FAILURE), onerror=_refuse):
        folder = at.removeprefix(str(root)).strip(os.sep).replace(os.sep, "/") or "."
        found[folder] = _files(at, files)
    return dict(sorted(found.items()))


def _refuse(error: OSError) -> None:
    raise AtelierError(f"Cannot read {error.filename} ({error.strerror}); make it readable")


def _files(folder: str, files: Iterable[str]) -> _Files:
    names = {RESULT, JOB, FAILURE}.intersection(files)
    if JOB not in names:
        names |= {PARSE, CONFIG}.intersection(files)
    if not folder.isascii() and not _is_text(folder):
        raise AtelierError(f"The name of {folder!a} is not in UTF-8; rename that folder")
    mark = [VERSION]
    for name in sorted(names):
        try:
            state = Path(folder, name).stat()
            mark.append(f"{name}:{state.st_size}:{state.st_mtime_ns}")
        except OSError:  # a link to nothing, or a file that is being replaced
            mark.append(name)
    return _Files(frozenset(names), " ".join(mark))


def _is_text(name: str) -> bool:
    return name.encode("utf-8", "replace").decode() == name


def _connect() -> duckdb.DuckDBPyConnection:
    """An empty database in memory that never asks a network for extensions."""
    import duckdb

    quiet = {"autoinstall_known_extensions": False, "autoload_known_extensions": False}
    return duckdb.connect(config=quiet)


def _read(root: Path, found: Mapping[str, _Files]) -> dict[str, Run]:
    """Runs by folder, from their own files."""
    top = str(root.absolute())  # else DuckDB would take "~" and "http:" for more than names
    read: dict[str, dict[str, dict]] = {}
    with _connect() as connection:
        for name in SHAPES:
            paths = {f"{top}/{at}/{name}": at for at, files in found.items() if name in files.names}
            rows = _query(connection, SHAPES[name], list(paths)) if paths else []
            read[name] = {paths[path]: row for path, row in rows if row is not None}
    return {
        folder: _run(root, folder, files.names, {n: read[n].get(folder) for n in SHAPES})
        for folder, files in found.items()
    }


def _query(connection: duckdb.DuckDBPyConnection, shape: str, paths: Sequence[str]) -> list[tuple]:
    """Each path with what its JSON holds of a shape, None if it is damaged; a file that cannot be
    read is left out.
    """
    import duckdb

    plain = [path for path in paths if not _PATTERN.search(path)]
    try:
        rows = connection.execute(_READ_FILES, {"shape": shape, "paths": plain}).fetchall()
    except duckdb.Error:  # it refuses all for one, which is found by halving
        half = len(plain) // 2
        parts = (plain[:half], plain[half:]) if half else ()
        rows = [row for part in parts for row in _query(connection, shape, part)]
    if odd := [path for path in paths if _PATTERN.search(path)]:
        contents = {}
        for path in odd:
            with contextlib.suppress(OSError):
                contents[path] = Path(path).read_bytes()
        told = {"shape": shape, "paths": list(contents), "contents": list(contents.values())}
        rows += connection.execute(_READ_BYTES, told).fetchall()
    return rows


def _run(root: Path, folder: str, names: frozenset[str], read: dict[str, dict | None]) -> Run:
    """A run from what was read of its files."""
    result, job, failure, labels = read[RESULT] or {}, read[JOB] or {}, "", {}
    scores: dict[str, dict] = {"metrics": {}, "unavailable": {}, "seconds": {}}
    made = result.get("format") or str(FORMAT)
    try:
        if RESULT in names:
            scores = {name: _object(result.get(name)) for name in scores}
            if not result:
                raise ValueError
    except ValueError:
        failure = f"{RESULT} is damaged; make the run again"
    if made.isdecimal() and int(made) > FORMAT:
        failure = newer_format(RESULT, int(made))
    try:
        labels = _object(job.get("labels")) if JOB in names else _told(root / folder, names, result)
        if JOB in names and not job.get("labels"):
            raise ValueError
    except ValueError:  # without labels it would be counted among runs of other settings
        failure = f"{JOB} is damaged or has no labels; make the run again"
    if RESULT not in names:
        failure = (read[FAILURE] or {}).get("reason") or f"it failed; {FAILURE} does not say why"
    seconds = (_number(value) for value in scores["seconds"].values())
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


def _object(text: str | None) -> dict:
    """A JSON object, {} for nothing; ValueError for all else."""
    value = json.loads(text) if text else None
    if not isinstance(value, dict | None):
        raise ValueError
    return value or {}


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and math.isfinite(value) else None


def _scalar(value: object) -> object:
    """A label that can be compared and written anywhere."""
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False)
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


# --- labels of runs that no bench or sweep has made

# config.yaml is written by a library in one way, where two lines are found at once, while reading
# YAML takes most of a millisecond; what looks otherwise is read as YAML.
_IMAGE = re.compile(r"^data:\n  image: ([\w:./-]+)\n(?! {3})", re.MULTILINE)
_MODEL = re.compile(r"^model:\n  class_path: ([\w.]+)\n(?! {3})", re.MULTILINE)


def _told(folder: Path, names: frozenset[str], result: Mapping[str, Any]) -> dict[str, Any]:
    """Labels from what a run says of itself; those that it does not tell are left out."""
    model, image = _model_and_image(folder / CONFIG) if CONFIG in names else ("", "")
    # The method's name is its file's, as in labels that a bench gives.
    method = model.split(".")[-2] if model.count(".") > 1 else result.get("method")
    object_, style = _target(folder) if PARSE in names else (None, None)
    seed = json.loads(result.get("seed") or "null")
    labels = {
        "method": method,
        "picture": Path(image.removeprefix("skimage:")).stem or None,
        "object": object_,
        "style": style,
        "seed": seed,
    }
    return {name: value for name, value in labels.items() if value is not None}


def _model_and_image(path: Path) -> tuple[str, str]:
    """The model's class and the picture of a configuration, "" for what it does not say."""
    try:
        text = path.read_text(encoding="utf-8")
        model, image = _MODEL.search(text), _IMAGE.search(text)
        if model and image:
            return model[1], image[1]
        config = yaml.load(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader))
        return _entry(config, "model", "class_path"), _entry(config, "data", "image")
    except (OSError, ValueError, yaml.YAMLError):
        return "", ""


def _entry(config: object, section: str, name: str) -> str:
    part = config.get(section) if isinstance(config, dict) else None
    return str(part.get(name) or "") if isinstance(part, dict) else ""


def _target(folder: Path) -> tuple[str | None, ...]:
    """Object and style of the first target."""
    for target in RunFolder(folder, strict=False).targets:
        # JSON can hold halves of characters, which UTF-8 cannot.
        whole = (text.encode("utf-8", "replace") for text in (target.object, target.style))
        return tuple(text.decode() for text in whole)
    return None, None


# --- Parquet


def _stored(path: Path) -> dict[str, tuple[Run, str]]:
    """The runs of a results.parquet, each with its mark; {} if there is no such file."""
    rows = _rows(path) if path.exists() else []
    if rows is None:
        log.warning("%s is damaged, or no file of atelier results; it is not used", path)
    runs = {}
    for *plain, labels, metrics, unavailable, mark in rows or ():
        objects = (json.loads(text) for text in (labels, metrics, unavailable))
        told = dict(zip(_PLAIN, plain, strict=True)) | dict(zip(_OBJECTS, objects, strict=True))
        runs[told["folder"]] = (Run(**told), mark)
    return runs


_OBJECTS = ("labels", "metrics", "unavailable")
_PLAIN = tuple(name for name in COLUMNS if name not in _OBJECTS)


def _rows(path: Path) -> list[tuple] | None:
    """The rows of a results.parquet; None if it is no such file."""
    import duckdb

    columns = ", ".join(f'"{name}"' for name in _PLAIN)
    columns += ", ".join(["", *(f"to_json({name})::VARCHAR" for name in _OBJECTS), "mark"])
    literal = re.sub(r"([*?\[])", r"[\1]", str(path.absolute()))
    try:
        with _connect() as connection:
            query = f"SELECT {columns} FROM read_parquet($path)"  # our own columns' names
            return connection.execute(query, {"path": literal}).fetchall()
    except duckdb.Error:
        return None


def write_parquet(path: Path, columns: Mapping[str, str], rows: Iterable[Mapping]) -> None:
    """Write rows as Parquet, whole or not at all.

    columns: DuckDB's types by name; the names differ in more than their case.
    """
    with tempfile.TemporaryDirectory() as folder, atomic(path) as temporary, _connect() as database:
        lines = Path(folder) / "rows.json"
        with lines.open("w", encoding="utf-8") as file:
            file.writelines(json.dumps(row, allow_nan=False) + "\n" for row in rows)
        # Handed over as a file, since DuckDB takes rows one by one as slowly as any database.
        database.execute(
            "COPY (SELECT * FROM read_json($rows, columns=$columns, format='newline_delimited'))"
            " TO $path (FORMAT parquet)",
            {"rows": str(lines), "columns": dict(columns), "path": str(temporary)},
        )


# --- what numbers mean


@functools.cache
def meanings() -> dict[str, Score]:
    """What the scores mean, by their bare names; from the metrics' classes that the files in
    configs/evaluation name, without making any of them (it imports torch: seconds).
    """
    from evaluation.metrics.base import Score

    known = {SECONDS: Score(False, 0, math.inf, "the run's stages together", unit="s")}
    for class_path in _metric_classes():
        known |= {bare(name): score for name, score in _scores(class_path).items()}
    return known


@functools.cache
def directions() -> dict[str, bool | None]:
    """Which way the scores are better, by their bare names; None where neither is.

    As `meanings` says it, but at once: the metrics' modules are not imported, which would take
    longer than to read 20,000 runs, but the `"name": Score(direction, ...)` in them are looked up.
    """
    known: dict[str, bool | None] = {SECONDS: False}
    for class_path in _metric_classes():
        source = ROOT.joinpath(*class_path.split(".")[:-1]).with_suffix(".py")
        written = _written(source) if source.exists() else {}
        imported = {} if written else _scores(class_path)
        known |= written or {bare(n): score.higher_is_better for n, score in imported.items()}
    return known


def _metric_classes() -> dict[str, None]:
    files = sorted(SUITES.glob("*.yaml"))
    suites = (yaml.safe_load(path.read_text(encoding="utf-8")) for path in files)
    return dict.fromkeys(metric["class_path"] for suite in suites for metric in suite.values())


def _scores(class_path: str) -> dict[str, Score]:
    module, _, name = class_path.rpartition(".")
    return getattr(import_module(module), name).scores


def _written(source: Path) -> dict[str, bool | None]:
    """The direction of each score that a module defines in plain words; {} if one is computed."""
    written = {}
    for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
        for name, score in (
            zip(node.keys, node.values, strict=True) if isinstance(node, ast.Dict) else ()
        ):
            if isinstance(score, ast.Call) and getattr(score.func, "id", "") == "Score":
                if not (isinstance(name, ast.Constant) and score.args):
                    return {}
                if not isinstance(score.args[0], ast.Constant):
                    return {}
                written[name.value] = score.args[0].value
    return written


def stem(name: str) -> str:
    """A score's name without the network that measured."""
    return name.partition(".")[0]


def bare(name: str) -> str:
    """A score's name without the network, and without who judges: the key of `meanings`."""
    return stem(name).removeprefix(OWN)


# --- groups


@dataclass(frozen=True)
class Cell:
    """One score of several runs. mean: None if n is 0. sd: of a sample, None if n is below 2."""

    mean: float | None
    sd: float | None
    n: int


@dataclass(frozen=True)
class Group:
    """Runs that are alike in some labels, `key`. n: how many. cells: by score."""

    key: dict[str, Any]
    n: int
    cells: dict[str, Cell] = field(default_factory=dict)


def label_names(runs: Iterable[Run]) -> list[str]:
    """All labels, the method first."""
    names = dict.fromkeys(["method", *(name for run in runs for name in run.labels)])
    return list(names)


def varying(runs: Sequence[Run], names: Iterable[str]) -> list[str]:
    """Those of the labels in which the runs differ; not to have one is a difference, too."""
    return [name for name in names if len({_same(run.label(name)) for run in runs}) > 1]


def usual_labels(runs: Sequence[Run]) -> list[str]:
    """The labels by which runs are compared if nobody says otherwise: methods and settings.

    What differs only between pictures, styles, objects and seeds is averaged. Runs of several sets,
    or optimised with several encoders, are never put together.
    """
    names = [name for name in label_names(runs) if name not in CIRCUMSTANCES]
    by = varying(runs, names) or ["method"]
    for name in ("set", "encoder"):
        if name not in by and any(varying(group, [name]) for group in _alike(runs, by)):
            by.append(name)
    return by


def grouped(runs: Sequence[Run], by: Sequence[str], metrics: Sequence[str]) -> list[Group]:
    """Runs that agree in the labels `by`, put together; in the order of these labels."""
    groups = []
    for alike in sorted(_alike(runs, by), key=lambda group: order(group[0], by)):
        values = [run.values for run in alike]
        cells = {name: summary([value.get(name) for value in values]) for name in metrics}
        groups.append(Group({name: alike[0].label(name) for name in by}, len(alike), cells))
    return groups


def summary(values: Iterable[float | None]) -> Cell:
    """Mean and spread of the numbers among some values."""
    known = [value for value in values if value is not None]
    return Cell(
        statistics.fmean(known) if known else None,
        statistics.stdev(known) if len(known) > 1 else None,
        len(known),
    )


def best(groups: Sequence[Group], metric: str, higher_is_better: bool | None) -> set[int]:
    """Which groups have the best mean; all that have it. None if it cannot be said, or there is
    nothing to compare.
    """
    means = {k: group.cells[metric].mean for k, group in enumerate(groups)}
    known = {k: mean for k, mean in means.items() if mean is not None}
    if higher_is_better is None or len(known) < 2:
        return set()
    top = max(known.values()) if higher_is_better else min(known.values())
    # The mean of equal numbers depends on their order and count in its last digits.
    return {k for k, mean in known.items() if math.isclose(mean, top, rel_tol=1e-9, abs_tol=1e-12)}


def order(run: Run, names: Iterable[str]) -> list[tuple]:
    """What sorts runs by labels: what is missing, then numbers, then texts."""
    return [_rank(run.label(name)) for name in names]


def _rank(value: object) -> tuple:
    if isinstance(value, int | float):
        return (1, value)
    return (0,) if value is None else (2, str(value))


def _same(value: object) -> tuple:
    return (isinstance(value, bool), value)  # True is 1 to Python, and another label to us


def _alike(runs: Iterable[Run], by: Sequence[str]) -> list[list[Run]]:
    groups: dict[tuple, list[Run]] = {}
    for run in runs:
        groups.setdefault(tuple(_same(run.label(name)) for name in by), []).append(run)
    return list(groups.values())
