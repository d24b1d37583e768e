"""Write a report of many runs: tables, curves and pictures in one folder.

  atelier report runs                               writes report/index.html, for any browser
  atelier report runs/sweep -o sweep-report --title "Thresholds of the cat"

It needs no network and no server, and can be sent as it is. An earlier report in the same place is
replaced. Scores are those in the runs' result.json (atelier evaluate adds more); the output of
`atelier evaluate-parsers --json`, if it is in the runs' folder as parsers.json, stands beside the
paper's language models.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from experiments.run.options import dotted


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("folder", metavar="DIR", help="a folder that holds runs, at any depth")
    add("-o", "--out", default="report", metavar="DIR", help="where to (default: %(default)s)")
    add(
        "--title",
        default="",
        metavar="TEXT",
        help="heading of the page (default: the folder's name)",
    )


def run(args: argparse.Namespace, rest: list[str]) -> int:
    dotted(rest, "report")
    from experiments.run.reporting import report_runs

    print(report_runs(Path(args.folder), Path(args.out), args.title))
    return 0
