"""A user study: which system's pictures do people prefer?

  atelier study make runs/ --out study              a page of blind, randomised pairs
  atelier study make runs/ ours-t7=runs/b --pairs 40
  atelier study serve study                         show it at http://127.0.0.1:8000, keep votes
  atelier study score study                         shares with 95% intervals, Bradley-Terry scores
  atelier study score study votes-*.json            with files from raters who had the page alone

Pairs are made between runs of different systems on the same photo, object and style. docs/study.md
tells how to run a study, and how its scores are computed.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from datamodules.support.errors import AtelierError

FOLDER = "study"
SECONDS_PER_PAIR = 15  # a rater's, about


def add_arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    make = actions.add_parser("make", help="write the page and its key")
    make.add_argument("runs", nargs="+", metavar="RUN", help="a run's folder, or one of many runs")
    make.add_argument("--out", default=FOLDER, metavar="DIR", help="default: %(default)s")
    make.add_argument("--pairs", type=int, metavar="N", help="at most, balanced over systems")
    make.add_argument("--seed", type=int, default=0, help="of pairs and sides (default: 0)")
    serve = actions.add_parser("serve", help="show the page to raters and keep their votes")
    serve.add_argument("folder", nargs="?", default=FOLDER, help="default: %(default)s")
    serve.add_argument("--port", type=int, default=8000, help="default: %(default)s")
    serve.add_argument("--host", default="127.0.0.1", help="0.0.0.0: other machines may connect")
    serve.add_argument(
        "--origin", action="append", default=[], metavar="URL", help="the address behind a proxy"
    )
    score = actions.add_parser("score", help="what the votes say")
    score.add_argument("folder", nargs="?", default=FOLDER, help="default: %(default)s")
    score.add_argument("votes", nargs="*", metavar="VOTES.json", help="what raters downloaded")
    score.add_argument("--json", action="store_true", help="as JSON on stdout")


def run(args: argparse.Namespace, rest: list[str]) -> int:
    # argparse leaves over the folders and files that stand behind an option.
    files = "runs" if args.action == "make" else "votes" if args.action == "score" else None
    if unknown := [word for word in rest if word.startswith("-") or not files]:
        raise AtelierError(f"atelier study {args.action} knows no {unknown[0]}; see --help")
    if files:
        setattr(args, files, [*getattr(args, files), *rest])
    return {"make": _make, "serve": _serve, "score": _score}[args.action](args)


def _make(args: argparse.Namespace) -> int:
    if args.pairs is not None and args.pairs < 1:
        raise AtelierError(f"--pairs {args.pairs} leaves nothing to show; give 1 or more")
    from evaluation.study.answer_key import PAGE
    from evaluation.study.page import write_study
    from evaluation.study.pairs import make_pairs
    from evaluation.study.runs import read_works

    works = read_works(args.runs)
    pairs = make_pairs(works, args.pairs, args.seed)
    out = Path(args.out)
    write_study(pairs, out, args.seed)
    systems = sorted({work.system for pair in pairs for work in (pair.a, pair.b)})
    minutes = max(1, round(len(pairs) * SECONDS_PER_PAIR / 60))
    print(
        f"{len(pairs)} pairs of {len(systems)} systems ({', '.join(systems)}) from {len(works)} "
        f"runs, about {minutes} min a rater",
        file=sys.stderr,
    )
    print(out / PAGE)
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
    from evaluation.study.answer_key import VOTES, read_key
    from evaluation.study.ratings import rate
    from evaluation.study.votes import QUESTIONS, merged, read_file, read_store

    folder = Path(args.folder)
    if folder.is_file():
        raise AtelierError(f"{folder} is a file; write atelier study score FOLDER VOTES.json")
    key = read_key(folder)
    votes = read_store(folder / VOTES, key)
    for file in args.votes:
        votes += read_file(Path(file), key)
    votes = merged(votes)
    if not votes:
        raise AtelierError(f"There are no votes in {folder} yet; run atelier study serve {folder}")
    results = {
        question: rate([v for v in votes if v.question == question], key.pairs, key.systems)
        for question in QUESTIONS
    }
    raters = len({vote.rater for vote in votes})
    (_print_json if args.json else _print_tables)(results, raters, len(votes))
    return 0


def _print_json(results: dict[str, list], raters: int, votes: int) -> None:
    import json
    from dataclasses import asdict

    questions = {question: [asdict(row) for row in rows] for question, rows in results.items()}
    print(json.dumps({"raters": raters, "votes": votes, "questions": questions}, indent=2))


def _print_tables(results: dict[str, list], raters: int, votes: int) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table

    from evaluation.study.votes import QUESTIONS

    console = Console(width=None if sys.stdout.isatty() else 120)
    for question, rows in results.items():
        table = Table(title=QUESTIONS[question], title_justify="left", box=box.SIMPLE)
        table.add_column("system")
        for name in ("wins", "ties", "losses", "share", "95% interval", "of all", "score"):
            table.add_column(name, justify="right", no_wrap=True)
        table.add_column("against average", justify="right", no_wrap=True)
        for row in rows:
            table.add_row(*_cells(row))
        console.print(table)
    methods = sorted({row.interval for rows in results.values() for row in rows} - {""})
    people = "1 rater" if raters == 1 else f"{raters} raters"
    console.print(
        f"{votes} votes of {people}. A tie counts half for each; share is of the system's own "
        "comparisons,\n50% is the average. Score: Bradley-Terry, logarithm, 0 the average.\n"
        f"95% intervals: {', '.join(methods)}.",
        highlight=False,
    )


def _cells(row: object) -> list[str]:
    share, spread = "-", "-"
    if row.share is not None:
        share, spread = f"{row.share:.1%}", f"{row.low:.1%} to {row.high:.1%}"
    counts = (str(count) for count in (row.wins, row.ties, row.losses))
    score = round(row.score, 2) + 0.0  # no -0.00
    numbers = (f"{row.of_all:.1%}", f"{score:+.2f}", f"{row.against_average:.0%}")
    return [row.system, *counts, share, spread, *numbers]
