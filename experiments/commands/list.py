"""List what has a name: methods, metrics and the other parts, Atelier's and those of packages.

Each line has the name that commands take, a description, and where it comes from. A name that a
package adds and Atelier has already stands for Atelier's, which the list says.

  atelier list                                   everything
  atelier list methods                           one kind
"""

from __future__ import annotations

import argparse
import shutil
import sys

from datamodules.support.errors import AtelierError
from datamodules.support.suggestions import there_are
from experiments.run.listing import KINDS, Line, lines

NARROW = 30  # columns that a description has at least


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("kind", nargs="?", help=f"one of {', '.join(KINDS)}; all without it")


def run(args: argparse.Namespace, rest: list[str]) -> int:
    if rest:
        raise AtelierError(f"atelier list takes one kind, and no {rest[0]!r}; see --help")
    if args.kind and args.kind not in KINDS:
        raise AtelierError(f"There is no kind {args.kind!r}{there_are(args.kind, KINDS)}")
    kinds = [args.kind] if args.kind else KINDS
    every = {kind: lines(kind) for kind in kinds}
    width = max((len(line.name) for part in every.values() for line in part), default=0)
    for kind, part in every.items():
        print(*([kind] if not args.kind else []), *_rows(part, width), sep="\n")
    return 0


def _rows(part: list[Line], width: int) -> list[str]:
    """Names, descriptions and origins in columns; on a terminal each on one line."""
    origins = max((len(line.origin) for line in part), default=0)
    room = max(NARROW, shutil.get_terminal_size().columns - width - origins - 6)
    room = room if sys.stdout.isatty() else None
    texts = [line.text if room is None else _cut(line.text, room) for line in part]
    longest = max(map(len, texts), default=0)
    return [
        f"  {line.name:{width}}  {text:{longest}}  {line.origin}"
        for line, text in zip(part, texts, strict=True)
    ]


def _cut(text: str, room: int) -> str:
    return text if len(text) <= room else f"{text[: room - 3]}..."
