"""Open a page on which people try it: photo, sentence, mask, picture.

Prints the page's address once it can be opened. Pictures of visitors lie in --folder, each
session's apart from the others', and are removed after --hours.

  atelier studio
  atelier studio --runs runs --models fast
  atelier studio --host 0.0.0.0 --auth people.txt

With --host 0.0.0.0 other machines may connect: give --auth, and put a proxy with HTTPS before it.
With --share the page gets a public address, too, for as long as the command runs; all pictures then
pass through servers of Gradio's makers.
docs/studio.md describes the page, its HTTP interface and how to put it up for a laboratory.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

from datamodules.models.connection import forbidding_variable
from datamodules.support.errors import AtelierError
from datamodules.support.extras import require_extra
from datamodules.support.web import LOOPBACK
from experiments.run.configuration import EMBEDDED
from experiments.run.options import add_options, dotted


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--host", default="127.0.0.1", help="0.0.0.0: other machines may connect")
    add("--share", action="store_true", help="a public address, too: whoever has it may come")
    add("--port", type=int, default=7860, help="default: %(default)s")
    add_options(parser, "--models")
    parser.set_defaults(models=EMBEDDED)
    add("--runs", metavar="DIR", help="a folder of runs to look back on, in a tab of its own")
    add("--folder", metavar="DIR", default="runs/studio", help="of visitors (default: %(default)s)")
    add("--hours", type=float, default=24, help="until a visitor's files are removed (default: 24)")
    add("--origin", action="append", default=[], metavar="URL", help="the address behind a proxy")
    add("--auth", metavar="FILE", help="names and passwords of those who may open the page")


def run(args: argparse.Namespace, rest: list[str]) -> int:
    dotted(rest, "studio")
    require_extra("gradio", "studio")
    runs = Path(args.runs).absolute() if args.runs else None
    if runs and not runs.is_dir():
        raise AtelierError(f"There is no folder {args.runs}; give the one of your runs")
    if runs:
        require_extra("plotly", "report")
    if args.share and (name := forbidding_variable()):
        raise AtelierError(f"--share needs the network, and {name} forbids its use; leave one out")
    folder = Path(args.folder).absolute()
    from experiments.studio.settings import settle_gradio

    settle_gradio(folder)
    from experiments.studio.server import Place, serve

    for warning in warnings(args):
        print(f"warning: {warning}", file=sys.stderr)
    auth = Path(args.auth) if args.auth else None
    place = Place(folder, args.host, args.port, args.models, runs, auth, args.origin, args.hours,
                  args.share)  # fmt: skip
    try:
        serve(place, lambda url: print(url, flush=True))
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
    return 0


def warnings(args: argparse.Namespace) -> Iterator[str]:
    """Sentences about who may see what, before a page is opened to others."""
    open_to_all = "" if args.auth else ", and nobody is asked for a password; see --auth"
    if args.host not in LOOPBACK:
        yield f"other machines can reach this page over plain HTTP{open_to_all}"
    if args.share:
        yield (
            "all pictures pass through servers of Gradio's makers, and whoever has the public "
            f"address can use the page{open_to_all}"
        )
