"""A user study: which system's pictures do people prefer?

  atelier study make runs/ --out study              a page of blind, randomised pairs
  atelier study make runs/ ours-t7=runs/b --pairs 40
  atelier study serve study                         show it at http://127.0.0.1:8000, store votes
  atelier study score study                         shares with 95% intervals, Bradley-Terry scores
  atelier study score study votes-*.json            with files from raters who had the page alone
  atelier study score study -o votes.tex            for a paper; also .csv .md .json

Pairs are made between runs of different systems on the same photo, object and style. docs/study.md
describes how to run a study, and how its scores are computed.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from datamodules.support.errors import AtelierError
from experiments.run.options import dotted
from experiments.run.table_output import add_table_arguments, format_of, put, write_sheet

if TYPE_CHECKING:
    from evaluation.study.study import StudyResult

FOLDER = "study"
FORMATS = ("table", "csv", "markdown", "latex", "json")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    make = actions.add_parser("make", help="write the page and its key")
    make.add_argument("runs", nargs="+", metavar="RUN", help="a run's folder, or one of many runs")
    make.add_argument("--out", default=FOLDER, metavar="DIR", help="default: %(default)s")
    make.add_argument("--pairs", type=int, metavar="N", help="at most, balanced over systems")
    make.add_argument("--seed", type=int, default=0, help="of pairs and sides (default: 0)")
    serve = actions.add_parser("serve", help="show the page to raters and store their votes")
    serve.add_argument("folder", nargs="?", default=FOLDER, help="default: %(default)s")
    serve.add_argument("--port", type=int, default=8000, help="default: %(default)s")
    serve.add_argument("--host", default="127.0.0.1", help="0.0.0.0: other machines may connect")
    serve.add_argument(
        "--origin", action="append", default=[], metavar="URL", help="the address behind a proxy"
    )
    score = actions.add_parser("score", help="evaluate the votes")
    score.add_argument("folder", nargs="?", default=FOLDER, help="default: %(default)s")
    score.add_argument("votes", nargs="*", metavar="VOTES.json", help="files of raters")
    score.add_argument("--json", action="store_true", help="as --format json")
    add_table_arguments(score, FORMATS)


def run(args: argparse.Namespace, rest: list[str]) -> int:
    # argparse leaves folders and files that stand behind an option in `rest`.
    files = {"make": "runs", "score": "votes"}.get(args.action)
    dotted([word for word in rest if word.startswith("-") or not files], f"study {args.action}")
    if files:
        setattr(args, files, [*getattr(args, files), *rest])
    return {"make": _make, "serve": _serve, "score": _score}[args.action](args)


def _make(args: argparse.Namespace) -> int:
    if args.pairs is not None and args.pairs < 1:
        raise AtelierError(f"--pairs {args.pairs} leaves nothing to show; give 1 or more")
    from evaluation.study.study import make_study

    study = make_study(args.runs, Path(args.out), args.pairs, args.seed)
    print(
        f"{study.pairs} pairs of {len(study.systems)} systems ({', '.join(study.systems)}) from "
        f"{study.runs} runs, about {study.minutes} min per rater",
        file=sys.stderr,
    )
    print(study.page)
    return 0


def _serve(args: argparse.Namespace) -> int:
    from evaluation.study.server import StudyServer

    try:
        with StudyServer(Path(args.folder), args.host, args.port, args.origin) as server:
            print(server.url, flush=True)
            print("Ctrl-C stops it; every vote is on the disk at once", file=sys.stderr)
            server.serve_forever()
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
    return 0


def _score(args: argparse.Namespace) -> int:
    from evaluation.study.study import score_study

    folder = Path(args.folder)
    if folder.is_file():
        raise AtelierError(f"{folder} is a file; write atelier study score FOLDER VOTES.json")
    kind = "json" if args.json else format_of(args)
    if kind not in FORMATS:
        raise AtelierError(f"{args.out} would be {kind}; give one of {', '.join(FORMATS)}")
    put(_written(score_study(folder, map(Path, args.votes)), kind, args), args.out)
    return 0


def _written(result: StudyResult, kind: str, args: argparse.Namespace) -> str:
    from evaluation.study.tables import flat, footnote, sheets
    from evaluation.study.votes import QUESTIONS
    from evaluation.tables.writers import csv, text

    if kind == "json":
        return json.dumps(result.as_json(), indent=2) + "\n"
    if kind == "csv":
        return csv.write(flat(result))
    name = args.label or Path(args.folder).resolve().name
    tables = sheets(result, args.caption, name)
    if kind != "table":
        return "\n".join(write_sheet(table, kind, args.width) for table in tables)
    terminal = args.out is None and sys.stdout.isatty()
    titled = zip(tables, result.questions, strict=True)
    parts = [text.write(table, terminal, QUESTIONS[question]) for table, question in titled]
    return "".join([*parts, footnote(result), "\n"])
