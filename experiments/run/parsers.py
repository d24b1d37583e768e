"""Parsers by the names that `atelier evaluate-parsers --parsers` takes, and their progress."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from datamodules.support.errors import AtelierError
from evaluation.parsers import ParserTable, Watch
from experiments.run.parts import build_parser

if TYPE_CHECKING:
    from datamodules.parsing.base import Parser


def parsers_by_name(names: str, base_url: str | None = None) -> dict[str, Parser]:
    """The parsers of a comma-separated list, not yet loaded; AtelierError for an unknown name."""
    words = list(dict.fromkeys(word.strip() for word in names.split(",")))
    if base_url is not None and not any(word.startswith("api:") for word in words):
        raise AtelierError("--base-url goes with api:MODEL in --parsers; leave it out")
    return {w: build_parser(w, base_url if w.startswith("api:") else None) for w in words}


class ParserProgress(Watch):
    """A counter of instructions on stderr, and the errors of each parser and of its judge."""

    def on_instruction(self, parser: str, stage: str, number: int, total: int) -> None:
        """A line that counts; in a file, only its end."""
        if sys.stderr.isatty() or number == total:
            end = "\n" if number == total else ""
            print(f"\r{parser}: {stage} {number}/{total}", end=end, file=sys.stderr, flush=True)

    def on_parser_end(self, table: ParserTable) -> None:
        last = table.measurements[-1]
        start = "\n" if sys.stderr.isatty() else ""  # below the line that counts
        for error in filter(None, (last.error, last.judge_error)):
            print(f"{start}atelier: {last.parser}: {error}", file=sys.stderr)
