"""Options of commands that write tables: the format, the file, and the form of LaTeX."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from datamodules.support.errors import AtelierError
from datamodules.support.files import write_text

if TYPE_CHECKING:
    from evaluation.tables.sheet import Sheet

SUFFIXES = {
    ".csv": "csv",
    ".json": "json",
    ".md": "markdown",
    ".parquet": "parquet",
    ".tex": "latex",
}
WIDTHS = ("column", "text")  # of a paper in two columns


def add_table_arguments(parser: argparse.ArgumentParser, formats: Sequence[str]) -> None:
    """Add --format and -o, and for LaTeX --width, --caption and --label."""
    add = parser.add_argument
    add("--format", choices=formats, help="(default: by FILE's ending, else table)")
    add("-o", "--out", metavar="FILE", type=Path, help="write there instead of stdout")
    add(
        "--width",
        default=WIDTHS[0],
        metavar="W",
        help="of LaTeX: column or text, of a paper in two columns, or pt (default: %(default)s)",
    )
    add("--caption", default="", metavar="TEXT", help="of LaTeX, in place of the usual one")
    add("--label", default="", metavar="NAME", help="of LaTeX, tab:NAME (default: the folder's)")


def format_of(args: argparse.Namespace) -> str:
    """The format by --format or the file's ending; AtelierError for a width that is none."""
    points_of(args.width)
    return args.format or (SUFFIXES.get(args.out.suffix.lower()) if args.out else "") or "table"


def points_of(width: str) -> float:
    """A width in pt."""
    from evaluation.tables.writers import latex

    try:
        points = dict(zip(WIDTHS, (latex.COLUMN, latex.PAGE), strict=True)).get(width)
        points = float(width.removesuffix("pt")) if points is None else points
    except ValueError:
        points = 0.0
    if not 100 <= points <= 2000:
        raise AtelierError(f"--width is {width!r}; give column, text, or 100 to 2000 pt")
    return points


def write_sheet(table: Sheet, kind: str, width: str = WIDTHS[0], terminal: bool = False) -> str:
    """A table for people as text, Markdown or LaTeX."""
    from evaluation.tables.rounded import with_method_titles
    from evaluation.tables.writers import latex, markdown, text

    if kind == "latex":
        return latex.write(with_method_titles(table), points_of(width))
    return markdown.write(table) if kind == "markdown" else text.write(table, terminal)


def put(written: str, path: Path | None) -> None:
    """Write a text to a file, or to stdout."""
    if path:
        write_text(path, written)
    else:
        sys.stdout.write(written)
        sys.stdout.flush()
