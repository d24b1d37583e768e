"""The report's folder: written beside its place, then moved there whole."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import plotly

from datamodules.campaign_folder import PARSERS
from datamodules.support.errors import AtelierError
from datamodules.support.files import new_folder
from evaluation.report import markup, page_model, pictures, plots, tables
from evaluation.report.campaigns import planned, title_of
from evaluation.report.details import read_details
from evaluation.report.page_model import Entry, Overview
from evaluation.report.published import Published, read_methods, read_parsers
from evaluation.report.search import search_part
from evaluation.tables.run import Run
from evaluation.tables.runs import present, read_runs
from evaluation.tables.search import SearchRecord, read_search

PAGE, MARK = "index.html", ".atelier-report"  # MARK identifies a folder as a report
HERE = Path(__file__).parent
PLOTLY = Path(plotly.__file__).parent / "package_data" / "plotly.min.js"
WORKERS = 4


def write_report(
    root: Path,
    out: Path,
    title: str = "",
    announce: Callable[[int, int], None] = lambda done, total: None,
) -> Path:
    """Write the report of all runs below `root` to the folder `out`; the path of its page.

    announce: called with the number of runs done so far, and of all.
    Raises AtelierError where there is no run, and where `out` is anything but a report.
    """
    link, out = out, Path(os.path.realpath(out))  # a link is followed, and stays a link
    refuse_other(out, root)
    ours, published, searched = read_ours(root / PARSERS), read_methods(), read_search(root)
    runs, _ = present(root, read_runs(root))
    with replacing(out) as folder:
        (folder / pictures.FOLDER).mkdir()
        (folder / "runs").mkdir()
        entries = list(read_entries(runs, root, folder, announce))
        entries = page_model.with_groups(entries)
        drawn = write_scripts(entries, folder)
        title = title or title_of(root, runs) or f"Atelier: {root.resolve().name}"
        overview = page_model.overview(entries, planned(root, runs))
        html = page(entries, title, overview, published, ours, drawn, searched)
        _write(folder / PAGE, html)
        # The licence comes with the script, in its first lines.
        shutil.copyfile(PLOTLY, folder / "plotly.min.js")
        _write(folder / MARK, "A report of Atelier; the next one may replace it.\n")
    return link / PAGE


def refuse_other(out: Path, root: Path) -> None:
    """AtelierError if writing to `out` would replace anything but an earlier report."""
    if not root.is_dir():
        raise AtelierError(f"There is no folder {root}; give one that holds runs")
    if root.resolve().is_relative_to(out):
        raise AtelierError(
            f"The report would replace the runs in {root}; give another place with -o"
        )
    if out.exists() and not (out / MARK).exists() and not (out.is_dir() and not any(out.iterdir())):
        raise AtelierError(f"{out} exists and is no report; move it, or give another place with -o")


@contextmanager
def replacing(out: Path) -> Iterator[Path]:
    """A new folder that replaces `out` if the block succeeds, and is deleted if not."""
    with new_folder(out, "choose another place with -o") as folder:
        yield folder
        old = folder.with_name(f"{folder.name}-old")
        if out.exists():
            out.rename(old)
        try:
            folder.rename(out)
        except OSError:
            if old.exists():
                old.rename(out)
            raise
        shutil.rmtree(old, ignore_errors=True)


def read_ours(path: Path) -> dict[str, Any] | None:
    """Our parsers' table, None if there is none; AtelierError for any other file."""
    if not path.exists():
        return None
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
        if all(isinstance(row["parser"], str) for row in value["rows"]):
            return value
        raise ValueError("a parser has no name")
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise AtelierError(
            f"{path} is not what `atelier evaluate-parsers --json` prints; make it anew or move it"
        ) from error


# ---- runs ----


def read_entries(
    runs: Sequence[Run], root: Path, folder: Path, announce: Callable[[int, int], None]
) -> Iterator[Entry]:
    """The runs in order with their details; their pictures are written to the report's folder."""
    announce(0, len(runs))
    with ThreadPoolExecutor(min(WORKERS, os.cpu_count() or 1)) as workers:
        entries = workers.map(lambda run: read_entry(run, root, folder), runs)
        for done, entry in enumerate(entries, 1):
            announce(done, len(runs))
            yield entry


def read_entry(run: Run, root: Path, folder: Path) -> Entry:
    """One run. With unreadable pictures it counts as failed, and the report goes on."""
    at = root / run.folder
    shots, failure = None, run.failure
    if not failure:
        try:
            shots = pictures.make_shots(at, folder)
        except AtelierError as error:
            failure = str(error)
    return Entry(run, read_details(at), shots, failure, path=at.as_posix())


def write_scripts(entries: Sequence[Entry], folder: Path) -> Mapping[str, list]:
    """Write the values that the page loads only when a run or a plot is opened; the plots."""
    whole = [entry for entry in entries if not entry.failure]
    for number, entry in enumerate(whole):
        file = page_model.detail_file(number)
        _write_call(folder / file, "detail", file, page_model.detail(entry))
    looks = plots.looks_of(page_model.by_group(entries))
    drawn = {"curves": plots.curves(entries, looks), "tradeoffs": plots.tradeoffs(entries, looks)}
    _write_call(folder / "plots.js", "plots", drawn)
    return drawn


def _write_call(path: Path, function: str, *values: object) -> None:
    """Write a script that passes values to the page, since a page on disk may not fetch JSON."""
    _write(path, f"atelier.{function}({', '.join(map(as_script, values))});\n")


def _write(path: Path, text: str) -> None:
    # JSON can hold halves of characters, which UTF-8 cannot.
    path.write_text(text, encoding="utf-8", errors="replace")


def as_script(value: object) -> str:
    """JSON within a script in HTML: "</script>" in a style's name must not end the script."""
    encoded = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    for sign in "<>&\u2028\u2029":
        encoded = encoded.replace(sign, f"\\u{ord(sign):04x}")
    return encoded


# ---- the page ----


def page(
    entries: Sequence[Entry],
    title: str,
    overview: Overview,
    published: Published,
    ours: Mapping[str, Any] | None,
    drawn: Mapping[str, list],
    searched: SearchRecord | None,
) -> str:
    """HTML of the page. Names by runs and people are text in it, never markup."""
    model = {
        "looks": plots.looks_of(page_model.by_group(entries)),
        "gallery": page_model.gallery(entries),
    }
    parts = {
        "TITLE": markup.text(title),
        "STYLE": (HERE / "style.css").read_text("utf-8"),
        "OVERVIEW": tables.overview_part(overview),
        "METHODS": tables.methods_part(entries, published),
        "COMPARABLE": tables.comparable_part(overview, published),
        "EVERYTHING": tables.everything_part(entries),
        "PUBLISHED": tables.published_part(published),
        "HEADING": tables.curves_title(drawn["curves"]),
        "SEARCH": search_part(searched),
        "CURVES": tables.curves_part(entries, drawn["curves"]),
        "TRADEOFF": tables.tradeoff_part(drawn["tradeoffs"]),
        "PARSERS": tables.parsers_part(ours, read_parsers()),
        "FAILED": tables.failures_part(entries),
        "MODEL": as_script(model),
        "SCRIPT": (HERE / "page.js").read_text("utf-8"),
    }
    # All in one pass: "@MODEL@" in a style's name stays as it is.
    template = (HERE / "page.html").read_text("utf-8")
    return re.sub("@([A-Z]+)@", lambda place: parts[place[1]], template)
