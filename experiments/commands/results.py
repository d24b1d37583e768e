"""Put many finished runs together in one table: mean, spread, number of runs, what is best.

DIR is searched to any depth for result.json. Runs that agree in method and settings are one row;
pictures, styles, objects and seeds are averaged, unless --by says otherwise. The labels of a run
are in its job.json (`atelier bench` and `atelier sweep` write it), or else in its parse.json and
config.yaml.

  atelier results runs/demo                         methods against one another
  atelier results runs/demo --by method,style       one row per method and style
  atelier results runs/demo --where method=soulstyler style=fire --metrics style_patch,leakage
  atelier results runs/demo -o table.tex            also .csv .md .json .parquet .txt
  atelier results runs/demo -o wide.tex --width text --columns "style of patches,leakage,time"
  atelier results runs/demo --each --metrics all -o runs.parquet      one row per run, all numbers

Spread is the standard deviation of a sample. An arrow says which way a score is better. The best is
bold where its difference to the next best exceeds the 95% interval of that difference (paired
t-test over runs of equal picture, style and seed). A score that fewer than n runs have is followed
by its own (n=...); one that none has is "-". Scores and labels can be named by their keys or by
their headings in LaTeX, which fits a column of a paper (--width column) or its page (--width text).
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
from evaluation.tables.results import ALL, USUAL, Selection, tabulate
from evaluation.tables.runs import CONSOLIDATED
from experiments.run.options import dotted
from experiments.run.table_output import add_table_arguments, format_of, put, write_sheet

if TYPE_CHECKING:
    from evaluation.tables.results import ResultTable

FORMATS = ("table", "csv", "parquet", "markdown", "latex", "json")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("folder", metavar="DIR", type=Path, help="a folder that holds runs, at any depth")
    add("--by", metavar="A,B", help="a row for each value of these labels (default: what varies)")
    columns = f"scores, or {ALL} (default: {', '.join(USUAL)}, and those of your own metrics)"
    add("--metrics", "--columns", metavar="A,B", help=columns)
    where = {"nargs": "+", "action": "extend", "default": [], "metavar": "LABEL=VALUE"}
    add("--where", **where, help="only these runs; of one label, any of several values")
    add_table_arguments(parser, FORMATS)
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
    _write(table, kind, args)
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
    kind = format_of(args)
    if kind == "parquet" and not args.out:
        raise AtelierError("Parquet is no text to be printed; give a file with -o FILE.parquet")
    if args.out and args.out.absolute() == (args.folder / CONSOLIDATED).absolute():
        raise AtelierError(f"{args.out} is where --consolidate puts its rows; choose another name")
    return kind


def _write(table: ResultTable, kind: str, args: argparse.Namespace) -> None:
    from evaluation.tables.exact import flat
    from evaluation.tables.rounded import sheet
    from evaluation.tables.writers import csv, json, parquet

    if kind == "parquet":
        parquet.write_file(flat(table), args.out)
    elif kind == "csv":
        put(csv.write(flat(table)), args.out)
    elif kind == "json":
        put(json.write(table), args.out)
    else:
        rounded = sheet(table, args.caption, args.label or args.folder.resolve().name)
        terminal = args.out is None and sys.stdout.isatty()
        put(write_sheet(rounded, kind, args.width, terminal), args.out)
