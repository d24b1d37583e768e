"""Measure how well parsers split instructions, beside the ten language models of Soulstyler.

Prints a table with one row per parser: the share of instructions whose object and style are both
exact, and either alone; token F1 and span IoU of both; the judge's mean; seconds; the number of
instructions.

  atelier evaluate-parsers --parsers smollm2,smollm2-alone,gemma3-270m,gemma3-270m-alone,rules
  atelier evaluate-parsers --parsers api:NAME --base-url http://127.0.0.1:8000/v1
  atelier evaluate-parsers --parsers hf:meta-llama/Llama-2-7b-chat-hf,./my-model --set dev
  atelier evaluate-parsers --parsers rules --judge NAME --judge-url http://127.0.0.1:8000/v1

The judge is a chat model that scores each split from 0 to 10 by a fixed rubric; without --judge
there is none. Its answers are cached: a second run asks only new questions. A key that an endpoint
needs is read from OPENAI_API_KEY. A parser that cannot be measured gets a row of "-" and its reason
on stderr, and the exit code is 2 at the end. A language model chooses among the readings of the
syntax (rules is the syntax without one); "-alone" after its name leaves the grammar's weights out.
docs/parsers.md describes how keys are written.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from datamodules.support.errors import AtelierError
from datamodules.support.files import write_json
from evaluation.instruction_sets import SETS
from evaluation.parsers import Measurement, ParserTable, measure_parsers
from experiments.run.options import dotted
from experiments.run.parsers import ParserProgress, parsers_by_name
from experiments.run.registry import PARSER_NAMES

if TYPE_CHECKING:
    from evaluation.metrics.parse_judge import Judge


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add(
        "--parsers",
        default="smollm2,rules",
        metavar="NAME,...",
        help=f"{PARSER_NAMES} (default: %(default)s)",
    )
    add("--base-url", metavar="URL", help="the endpoint of api:MODEL (default: OPENAI_BASE_URL)")
    add(
        "--set",
        default="test",
        metavar="NAME",
        help=f"{', '.join(SETS)} or a JSON-lines file (default: %(default)s)",
    )
    add("--judge", metavar="MODEL", help="a chat model that scores each split from 0 to 10")
    add("--judge-url", metavar="URL", help="the judge's endpoint (default: OPENAI_BASE_URL)")
    add("--out", type=Path, metavar="FILE", help="write every answer and its scores here, as JSON")
    add("--show-errors", action="store_true", help="print wrong splits on stderr")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print JSON instead of a table")
    form.add_argument("--markdown", action="store_true", help="print the table as Markdown")


class Progress(ParserProgress):
    """Progress on stderr; after each parser also its errors and, in a file, all answers."""

    def __init__(self, show_errors: bool, out: Path | None) -> None:
        self.show_errors, self.out = show_errors, out

    def on_parser_end(self, table: ParserTable) -> None:
        super().on_parser_end(table)
        if self.show_errors:
            _print_errors(table.measurements[-1])
        if self.out:
            write_json(self.out, table.details())


def _print_errors(measurement: Measurement) -> None:
    for answer in measurement.answers:
        if not answer.scores["exact"]:
            details = answer.details(judged=False)
            splits = (json.dumps(details[part], ensure_ascii=False) for part in ("found", "keys"))
            print(details["instruction"], *splits, sep="\n  ", file=sys.stderr)


def run(args: argparse.Namespace, rest: list[str]) -> int:
    dotted(rest, "evaluate-parsers")
    parsers = parsers_by_name(args.parsers, args.base_url)
    judge = _judge(args.judge, args.judge_url)
    table = measure_parsers(parsers, args.set, judge, Progress(args.show_errors, args.out))
    _print(table, args)
    return 0 if table.complete else 2


def _judge(model: str | None, url: str | None) -> Judge | None:
    """The judge, if there is one; AtelierError for one that cannot be asked."""
    if model is None:
        if url is not None:
            raise AtelierError("--judge-url needs the judge's model; name it with --judge")
        return None
    from evaluation.metrics.parse_judge import Judge

    return Judge(model, url or "")


def _print(table: ParserTable, args: argparse.Namespace) -> None:
    """Print the table on stdout, as wide as it must be, so that no number is cut."""
    from evaluation.tables.parsers import sheet, source
    from evaluation.tables.writers import markdown, text

    summary = table.summary()
    if args.json:
        print(json.dumps(summary, indent=2, ensure_ascii=False, allow_nan=False))
    elif args.markdown:
        print(f"{markdown.write(sheet(summary))}\n\\* {source(summary)}")
    else:
        print(f"{text.write(sheet(summary))}* {source(summary)}")
