"""Parsers by the names that `atelier evaluate-parsers --parsers` takes, and their progress."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from datamodules.support.errors import AtelierError
from evaluation.parsers import ParserTable, Watch
from experiments.commands.parse import LLM, PARSERS, Choice

if TYPE_CHECKING:
    from datamodules.parsing.base import Parser

ALONE = "-alone"  # after a language model's name: it decides without the grammar


def parsers_by_name(names: str, base_url: str | None = None) -> dict[str, Parser]:
    """The parsers of a comma-separated list, not yet loaded; AtelierError for an unknown name."""
    words = list(dict.fromkeys(word.strip() for word in names.split(",")))
    if base_url is not None and not any(word.startswith("api:") for word in words):
        raise AtelierError("--base-url goes with api:MODEL in --parsers; leave it out")
    return {word: _parser(word, base_url or "") for word in words}


def _parser(name: str, base_url: str) -> Parser:
    kind, _, model = name.partition(":")
    if kind == "api":
        if not model:
            raise AtelierError("--parsers api asks a model; name it as api:MODEL")
        return PARSERS["api"].made(model=model, base_url=base_url)
    alone = {"grammar_prior": 0.0} if name.endswith(ALONE) and not Path(name).exists() else {}
    plain = name.removesuffix(ALONE) if alone else name
    if plain in PARSERS and (PARSERS[plain].path == LLM or not alone):
        return PARSERS[plain].made(**alone)
    if (kind == "hf" and model) or plain.endswith(".gguf") or (plain and Path(plain).exists()):
        return Choice(LLM, {"model": plain}).made(**alone)
    short = ", ".join([*(name for name in PARSERS if name != "api"), "api:MODEL"])
    raise AtelierError(
        f"--parsers has {name!r}, which is no parser; there are {short}, hf:REPOSITORY, and a "
        "model's folder or GGUF file"
    )


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
