"""All runs below a folder, from their own files or from results.parquet.

A run folder's result.json holds the scores; its job.json, if a bench or a sweep made the run, the
labels; and failure.json the reason why there is no result. `consolidate` stores all runs in
results.parquet. A stored row counts only as long as size and time of every file that it was made
from are unchanged, so that no run which was added, scored or made again later is overlooked, and
no deleted one is shown.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from datamodules.campaign_folder import is_present
from datamodules.run_folder import CONFIG, FAILURE, JOB, PARSE, RESULT, RunFolder, find
from datamodules.support.errors import AtelierError
from evaluation.metrics.scores import Score
from evaluation.tables.meanings import bare, is_users, learn
from evaluation.tables.parquet import read_stored, write_stored
from evaluation.tables.run import Run, label_names, order
from evaluation.tables.run_files import Names, read_files

log = logging.getLogger(__name__)

CONSOLIDATED = "results.parquet"
VERSION = "2"  # of the rows in results.parquet


def read_runs(root: Path) -> list[Run]:
    """The runs at or below a folder, by labels, then by folder; AtelierError if there are none.

    A run whose files are damaged comes as a failed one; runs that have neither finished nor failed
    are left out.
    """
    return [run for run, _ in _read_marked(root)]


def present(root: Path, runs: Sequence[Run]) -> tuple[list[Run], list[str]]:
    """The runs of the present form of their campaigns, and a line about the others, if any."""
    here = {run.folder: is_present(root / run.folder, run.set) for run in runs}
    ours = [run for run in runs if here[run.folder]]
    if not (others := [run for run in runs if not here[run.folder]]):
        return ours, []
    if not ours:
        raise AtelierError(
            f"All {len(others)} runs in {root} are of an earlier form of {others[0].set}; make the "
            "present ones, with the settings, code and packages of now"
        )
    names = ", ".join(dict.fromkeys(run.set for run in others))
    number = "1 run is" if len(others) == 1 else f"{len(others)} runs are"
    return ours, [
        f"{number} no part of the present {names} (settings, code or packages have changed since) "
        f"and left out; e.g. {root / others[0].folder}"
    ]


def consolidate(root: Path) -> tuple[Path, list[Run]]:
    """Store all runs at or below a folder in its results.parquet; path and runs.

    Raises AtelierError rather than replace a file that is damaged or foreign.
    """
    path = root / CONSOLIDATED
    if read_stored(path) is None:
        raise AtelierError(
            f"{path} is damaged, or no file of atelier results; move it away, then do this again"
        )
    marked = _read_marked(root, renewing=True)
    write_stored(path, marked)
    return path, [run for run, _ in marked]


def _read_marked(root: Path, renewing: bool = False) -> list[tuple[Run, str]]:
    """The runs in order, each with the mark of the present state of its files."""
    folders = _find(root)
    if not folders:
        raise AtelierError(f"{root} holds no finished run: no folder in it has a {RESULT}")
    path = root / CONSOLIDATED
    stored = read_stored(path)
    if stored is None:
        log.warning("%s is damaged, or no file of atelier results; it is not used", path)
    rows = stored or {}
    runs = {at: rows[at][0] for at, f in folders.items() if at in rows and rows[at][1] == f.mark}
    later = {at: files.names for at, files in folders.items() if at not in runs}
    if rows and later and not renewing:
        log.warning(
            "%s is older than %d of %d runs, whose own files were read; --consolidate renews it",
            *(path, len(later), len(folders)),
        )
    runs |= read_files(root, later)
    names = label_names(runs[folder] for folder in folders)
    _learn(root, runs)
    ordered = sorted(runs.values(), key=lambda run: (order(run, names), run.folder))
    return [(run, folders[run.folder].mark) for run in ordered]


def _learn(root: Path, runs: Mapping[str, Run]) -> None:
    """Take over the meanings of users' scores from a run that has them."""
    users = {name for run in runs.values() for name in run.metrics if is_users(name)}
    for name in sorted(users):
        having = (at for at, run in runs.items() if run.metrics.get(name) is not None)
        if folder := next(having, None):
            records = RunFolder(root / folder, strict=False).result.meanings
            learn({score: Score.of_record(records[score]) for score in {bare(name)} & set(records)})


@dataclass(frozen=True)
class _Files:
    """Names of a run's files that are read, and a mark of their state."""

    names: Names
    mark: str


def _find(root: Path) -> dict[str, _Files]:
    """The finished and the failed runs at or below a folder, in order."""
    if not root.is_dir():
        raise AtelierError(f"There is no folder {root}; give a run folder, or one that holds some")
    folders = {}
    for at, files in find(root, (RESULT, FAILURE), onerror=_refuse):
        folder = at.removeprefix(str(root)).strip(os.sep).replace(os.sep, "/") or "."
        folders[folder] = _files(at, files)
    return dict(sorted(folders.items()))


def _refuse(error: OSError) -> None:
    raise AtelierError(f"Cannot read {error.filename} ({error.strerror}); make it readable")


def _files(folder: str, files: Iterable[str]) -> _Files:
    names = {RESULT, JOB, FAILURE}.intersection(files)
    if JOB not in names:  # then the labels are in these
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
