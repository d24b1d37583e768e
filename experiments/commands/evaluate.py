"""Score finished pictures: run folders, folders of runs, or any files.

Each run's scores go to its result.json as soon as they are known; those that are there already are
kept, so that an interrupted evaluation goes on where it stopped (--force measures again). A metric
whose weights are missing is unavailable, and says why. Runs that differ in their seed alone are
also compared with one another.

  atelier evaluate runs                             all runs below runs/, all metrics
  atelier evaluate runs/a runs/b --metrics background,style_patch
  atelier evaluate --content boat.png --output burning.png --mask boat-mask.png --style fire
  atelier evaluate --list                           what there is, and what it means
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from datamodules.support.errors import AtelierError
from experiments.run.registry import METHODS, chosen

if TYPE_CHECKING:
    from collections.abc import Iterator

    from evaluation.cases import Case
    from evaluation.suite import Scores, Suite

SUITES = METHODS.parent / "evaluation"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("paths", nargs="*", metavar="PATH", help="a run folder, or a folder that holds runs")
    add("--content", metavar="FILE", help="instead of runs: the picture before ...")
    add("--output", metavar="FILE", help="... the picture after ...")
    add("--mask", metavar="FILE", help="... what was to change, white (default: everything) ...")
    add(
        "--style", metavar="TEXT", help='... the style, or a blend "0.7*Van Gogh + 0.3*Hokusai" ...'
    )
    add("--object", metavar="TEXT", default="", help="... and what the mask shows")
    add("--metrics", metavar="A,B", help="only these (default: all that --list shows)")
    add("--models", default="embedded", help="a file in configs/evaluation (default: %(default)s)")
    add("--list", action="store_true", help="show the metrics, and score nothing")
    add("--force", action="store_true", help="measure again what is there already")
    add("--json", action="store_true", help="print JSON instead of a table")
    add("--quiet", action="store_true", help="print no table: scores are in the runs' result.json")
    add("--device", choices=["auto", "cpu", "gpu"], default="auto", help="(default: %(default)s)")
    add("--no-wandb", action="store_true", help="do not log to Weights & Biases")


def run(args: argparse.Namespace, rest: list[str]) -> int:
    if rest:
        raise AtelierError(f"atelier evaluate knows no {rest[0]}; see atelier evaluate --help")
    specs = _chosen_metrics(args)
    files = args.content or args.output
    if bool(files) + bool(args.paths) + args.list != 1:
        raise AtelierError(
            "Give folders of runs, or --content and --output with --mask and --style, or --list"
        )
    from evaluation.suite import Suite

    failures: dict[str, str] = {}
    cases = [] if args.list else [_loose(args)] if files else list(_runs(args.paths, failures))
    suite = Suite(specs, _device(args.device))
    if args.list:
        return _list(suite)
    found = _evaluate(cases, suite, args)
    failures |= {name: scores.error for name, scores in found.items() if scores.error}
    scored = {name: scores for name, scores in found.items() if not scores.error}
    _complain(scored, failures)
    if args.quiet:
        return 2 if failures else 0
    if args.metrics:  # only what was asked for, whatever else the runs' files hold
        asked = {*suite.meanings, *suite.metrics, *suite.unavailable}
        for scores in scored.values():
            scores.values = {k: v for k, v in scores.values.items() if k in asked}
    _show(scored, failures, suite, args.json)
    return 2 if failures else 0


def _chosen_metrics(args: argparse.Namespace) -> dict[str, dict]:
    """The metrics' configurations that --models and --metrics name."""
    import yaml

    path = chosen(args.models, SUITES, "set of metrics")
    known = yaml.safe_load(path.read_text(encoding="utf-8"))
    names = known if args.metrics is None else [name.strip() for name in args.metrics.split(",")]
    if unknown := [name for name in names if name not in known]:
        raise AtelierError(
            f"There is no metric {unknown[0]!r} in {path.name}; there are {', '.join(known)}"
        )
    return {name: known[name] for name in names}


def _runs(paths: list[str], failures: dict[str, str]) -> Iterator[Case]:
    """The cases of all runs in the paths; what is no whole run is noted and left out."""
    from evaluation.cases import find_runs, read_run

    for folder in dict.fromkeys(run for path in paths for run in find_runs(Path(path))):
        try:
            yield read_run(folder)
        except AtelierError as error:
            failures[str(folder)] = str(error)


def _loose(args: argparse.Namespace) -> Case:
    """The case of files that no run folder holds."""
    from datamodules.parsing.blend import targets_of
    from datamodules.task import regions
    from evaluation.cases import Case

    if not (args.content and args.output):
        raise AtelierError("Both pictures are needed: --content before, --output after")
    named = regions(tuple(targets_of(args.object, args.style or "")))
    return Case(
        name=args.output,
        content=Path(args.content),
        output=Path(args.output),
        mask=Path(args.mask) if args.mask else None,
        regions=tuple(named),
    )


def _device(name: str) -> str:
    import torch

    if name == "gpu" and not torch.cuda.is_available():
        raise AtelierError("There is no GPU here; leave --device out")
    return "cuda" if name != "cpu" and torch.cuda.is_available() else "cpu"


def _evaluate(cases: list[Case], suite: Suite, args: argparse.Namespace) -> dict[str, Scores]:
    """All that is known of each case in the end, by its name; a bar on stderr on the way."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    from evaluation.suite import evaluate

    found: dict[str, Scores] = {}
    changed: dict[Path, dict[str, float | None]] = {}
    columns = (TextColumn("{task.description:18}"), BarColumn(20), MofNCompleteColumn())
    with Progress(*columns, TimeElapsedColumn(), console=Console(stderr=True)) as bar:
        task = bar.add_task("scoring", total=len(cases))
        suite.announce = lambda name: bar.update(task, description=name)
        for case, scores in evaluate(cases, suite, args.force):
            found[case.name] = scores
            bar.update(task, completed=len(found))
            if case.folder and scores.changed:
                changed[case.folder] = scores.values
    if not args.no_wandb:
        _log(changed)
    return found


def _log(changed: dict[Path, dict[str, float | None]]) -> None:
    """New scores into the W&B runs of their folders, where there are any."""
    logged = {folder: values for folder, values in changed.items() if (folder / "wandb").is_dir()}
    if logged:
        from experiments.run.tracking import log_scores

        for folder, values in logged.items():
            log_scores(folder, values)


def _list(suite: Suite) -> int:
    from rich import box
    from rich.console import Console
    from rich.table import Table

    from evaluation.metrics.style import OWN
    from evaluation.tables.scores import ARROWS

    table = Table(box=box.SIMPLE, pad_edge=False)
    for column in ("metric", "score", "", "range", "what it is"):
        table.add_column(column, no_wrap=column in ("metric", "score"))
    for name, metric in suite.metrics.items():
        named = {k: meaning for k, meaning in metric.scores.items() if not k.startswith(OWN)}
        for number, (score, meaning) in enumerate(named.items()):
            span = f"{meaning.low:g} to {meaning.high:g} {meaning.unit}"
            what = f"{meaning.source}{meaning.note and f' ({meaning.note})'}"
            arrow = ARROWS[meaning.higher_is_better]
            table.add_row("" if number else name, metric.named(score), arrow, span, what)
    for name, reason in suite.unavailable.items():
        table.add_row(name, "-", "", "", f"unavailable: {reason}")
    table.add_row(f"{OWN}...", "", "", "", "a style score by the encoder that was optimised itself")
    Console(width=None if sys.stdout.isatty() else 160).print(table)
    return 0


def _complain(scored: dict[str, Scores], failures: dict[str, str]) -> None:
    """On stderr what could not be scored, and what is unavailable, each reason once."""
    for name, error in failures.items():
        print(f"atelier: {name}: {error}", file=sys.stderr)
    reasons: dict[str, dict[str, None]] = {}
    for scores in scored.values():
        for metric, why in scores.unavailable.items():
            reasons.setdefault(why, {})[metric] = None
    for why, metrics in reasons.items():
        print(f"{', '.join(metrics)}: unavailable: {why}", file=sys.stderr)


def _show(scored: dict[str, Scores], failures: dict[str, str], suite: Suite, as_json: bool) -> None:
    """Results on stdout."""
    if as_json:
        rows = [
            {"name": name, "metrics": scores.values, "unavailable": scores.unavailable}
            for name, scores in scored.items()
        ]
        rows += [{"name": name, "error": error} for name, error in failures.items()]
        print(json.dumps(rows, indent=2, ensure_ascii=False))
    elif scored:
        from rich.console import Console

        from evaluation.tables.scores import score_table

        table = score_table({name: s.values for name, s in scored.items()}, suite.meanings)
        Console(width=None if sys.stdout.isatty() else 160).print(table)
