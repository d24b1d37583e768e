"""Score finished pictures: run folders, folders of runs, or any files.

Each run's scores go to its result.json as soon as they are known; scores that are there already are
not measured again, so that an interrupted evaluation goes on where it stopped (--force measures
all). A metric whose weights are missing is unavailable, with the reason. Runs that differ in their
seed alone are also compared with one another.

  atelier evaluate runs                             all runs below runs/, the usual metrics
  atelier evaluate runs/a runs/b --metrics background,style_patch
  atelier evaluate --content boat.png --output burning.png --mask boat-mask.png --style fire
  atelier evaluate --list                           all metrics with their meanings
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from datamodules.support.errors import AtelierError
from experiments.run.metrics import ALL, ON_REQUEST, metrics_by_name
from experiments.run.options import add_options, dotted

if TYPE_CHECKING:
    from rich.table import Table

    from evaluation.scoring import Evaluation
    from evaluation.suite import Suite


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("paths", nargs="*", metavar="PATH", help="a run folder, or a folder that holds runs")
    add("--content", metavar="FILE", help="instead of runs: the picture before ...")
    add("--output", metavar="FILE", help="... the picture after ...")
    add(
        "--mask",
        metavar="FILE",
        help="... the region that was to change, white (default: everything) ...",
    )
    add_options(parser, "--mask-value")
    add(
        "--style", metavar="TEXT", help='... the style, or a blend "0.7*Van Gogh + 0.3*Hokusai" ...'
    )
    add("--object", metavar="TEXT", default="", help="... and the object in the mask")
    add(
        "--metrics",
        metavar="A,B",
        help=f"only these, or {ALL} (default: all but {', '.join(ON_REQUEST)})",
    )
    add("--models", default="embedded", help="a file in configs/evaluation (default: %(default)s)")
    add("--list", action="store_true", help="list the metrics, and score nothing")
    add("--force", action="store_true", help="measure again all that is in result.json")
    add("--json", action="store_true", help="print JSON instead of a table")
    add("--quiet", action="store_true", help="print no table: the scores are in result.json")
    add("--device", choices=["auto", "cpu", "gpu"], default="auto", help="(default: %(default)s)")
    add("--no-wandb", action="store_true", help="do not log to Weights & Biases")


def run(args: argparse.Namespace, rest: list[str]) -> int:
    dotted(rest, "evaluate")
    files = args.content or args.output
    if bool(files) + bool(args.paths) + args.list != 1:
        raise AtelierError(
            "Give folders of runs, or --content and --output with --mask and --style, or --list"
        )
    names = args.metrics or (ALL if args.list else None)
    specs = metrics_by_name(args.models, names and names.split(","))
    from evaluation.scoring import read_cases
    from evaluation.suite import Suite
    from experiments.run.scoring import device_by_name, pair_case, score

    cases, failures = read_cases(map(Path, args.paths))
    if files:
        value = ",".join(args.mask_value or [])
        pair = (args.content, args.output, args.mask, value, args.style or "", args.object)
        cases = [pair_case(*pair)]
    suite = Suite(specs, device_by_name(args.device))
    if args.list:
        return _list(suite)
    result = score(cases, failures, suite, args.force, wandb=not args.no_wandb)
    for remark in result.remarks():
        print(remark, file=sys.stderr)
    if not args.quiet:
        if args.metrics:  # not the other scores in the runs' files
            result.restrict(suite)
        _show(result, suite, args.json)
    return 2 if result.failures else 0


def _list(suite: Suite) -> int:
    from evaluation.tables.metrics import metric_table

    _print(metric_table(suite))
    return 0


def _show(result: Evaluation, suite: Suite, as_json: bool) -> None:
    """Print the scores on stdout."""
    if as_json:
        rows = [
            {"name": name, "metrics": scores.values, "unavailable": scores.unavailable}
            for name, scores in result.scores.items()
        ]
        rows += [{"name": name, "error": error} for name, error in result.failures.items()]
        print(json.dumps(rows, indent=2, ensure_ascii=False))
    elif result.scores:
        from evaluation.tables.scores import score_table

        values = {name: scores.values for name, scores in result.scores.items()}
        _print(score_table(values, suite.meanings))


def _print(table: Table) -> None:
    from rich.console import Console

    Console(width=None if sys.stdout.isatty() else 160).print(table)
