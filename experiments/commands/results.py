"""Put many finished runs together in one table: mean, spread, number of runs, best in bold.

DIR is searched to any depth for result.json. Runs that agree in method and settings are one row;
pictures, styles, objects and seeds are averaged, unless --by says otherwise. The labels of a run
are in its job.json (`atelier bench` and `atelier sweep` write it), or else in its parse.json and
config.yaml.

  atelier results runs/demo                         methods against one another
  atelier results runs/demo --by method,style       one row per method and style
  atelier results runs/demo --where method=soulstyler style=fire --metrics style_patch,leakage
  atelier results runs/demo -o table.tex            for a paper; also .csv .md .json .parquet .txt
  atelier results runs/demo --each --metrics all -o runs.parquet      one row per run, all numbers

Spread is the standard deviation of a sample. An arrow says which way a score is better. A score
that fewer than n runs have is followed by its own (n=...); one that none has is "-".
--consolidate puts all runs in DIR/results.parquet, from which later calls read twice as fast;
a run that was added or changed after that is still read from its own files.
Runs of an earlier form of a sweep, whose settings, code or packages have changed since, are left
out. --verify checks every run's result.json, and that its pictures are those that it wrote.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from datamodules.run_folder import RESULT
from datamodules.support.errors import AtelierError
from datamodules.support.files import write_text
from evaluation.tables.results import ALL, USUAL, Selection, tabulate
from evaluation.tables.runs import CONSOLIDATED
from experiments.run.options import dotted

if TYPE_CHECKING:
    from evaluation.tables.results import ResultTable

SUFFIXES = {
    ".csv": "csv",
    ".json": "json",
    ".md": "markdown",
    ".parquet": "parquet",
    ".tex": "latex",
}
FORMATS = ("table", "csv", "parquet", "markdown", "latex", "json")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("folder", metavar="DIR", type=Path, help="a folder that holds runs, at any depth")
    add("--by", metavar="A,B", help="a row for each value of these labels (default: what varies)")
    add("--metrics", metavar="A,B", help=f"scores, or {ALL} (default: {', '.join(USUAL)})")
    where = {"nargs": "+", "action": "extend", "default": [], "metavar": "LABEL=VALUE"}
    add("--where", **where, help="only these runs; of one label, any of several values")
    add("--format", choices=FORMATS, help="(default: by FILE's ending, else table)")
    add("-o", "--out", metavar="FILE", type=Path, help="write there instead of stdout")
    add("--each", action="store_true", help="one row per run, not one per group")
    add("--verify", action="store_true", help="only check that all runs are whole")
    add("--consolidate", action="store_true", help="also put all runs in DIR/results.parquet")


def run(args: argparse.Namespace, rest: list[str]) -> int:
    dotted(rest, "results")
    if args.verify:
        return _verify(args.folder)
    kind = _format(args)
    selection = Selection(_names(args.by), _names(args.metrics), tuple(args.where), args.each)
    table = tabulate(args.folder, selection, store=args.consolidate)
    _write(table, kind, args.out)
    for remark in table.remarks:
        print(remark, file=sys.stderr)
    return 0


def _verify(root: Path) -> int:
    """Print what is wrong with any run; 2 if there is something."""
    from evaluation.tables.verification import verify

    problems = [problem for _, problem in verify(root)]
    wrong = [problem for problem in problems if problem]
    for problem in wrong:
        print(problem)
    print(f"{len(problems)} runs: {len(wrong)} damaged or altered", file=sys.stderr)
    if wrong:
        print(f"Delete their {RESULT}; the sweep's command then makes them again", file=sys.stderr)
    return 2 if wrong else 0


def _names(text: str | None) -> tuple[str, ...] | None:
    return None if text is None else tuple(n.strip() for n in text.split(",") if n.strip())


def _format(args: argparse.Namespace) -> str:
    """The format; AtelierError, before anything is read, for one that cannot be written."""
    kind = args.format or (SUFFIXES.get(args.out.suffix.lower()) if args.out else "") or "table"
    if kind == "parquet" and not args.out:
        raise AtelierError("Parquet is no text to be printed; give a file with -o FILE.parquet")
    if args.out and args.out.absolute() == (args.folder / CONSOLIDATED).absolute():
        raise AtelierError(f"{args.out} is where --consolidate puts its rows; choose another name")
    return kind


def _write(table: ResultTable, kind: str, path: Path | None) -> None:
    from evaluation.tables.writers import csv, json, latex, markdown, parquet, text

    if kind == "parquet":
        parquet.write_file(table, path)
        return
    writers = {"csv": csv, "json": json, "latex": latex, "markdown": markdown}
    if kind in writers:
        written = writers[kind].write(table)
    else:
        written = text.write(table, terminal=path is None and sys.stdout.isatty())
    if path:
        write_text(path, written)
    else:
        sys.stdout.write(written)
        sys.stdout.flush()
