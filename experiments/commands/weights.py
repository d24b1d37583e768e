"""Get and check the papers' models, whose weights no package ships.

  atelier weights list                              the weights that configurations name
  atelier weights fetch --method soulstyler         all that the method needs on --models paper
  atelier weights fetch torchvision:vgg19           one of them
  atelier weights path torchvision:vgg19=vgg19.pth  let a name stand for a file that you have
  atelier weights verify                            compare the files with their checksums

Files go to the libraries' own caches (HF_HOME, TORCH_HOME), where other programs may have put them
already. Besides the listed names, fetch takes any open_clip:MODEL/TAG, torchvision:MODEL,
timm:MODEL, hf:REPOSITORY and file:REPOSITORY/FILE.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from datamodules.models.catalogue import catalogue
from datamodules.models.published import fetch, intact, local_path, offline, register
from datamodules.models.schemes import by_name
from datamodules.support.errors import AtelierError
from experiments.run.configuration import compose, weights_of
from experiments.run.options import add_options, dotted


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("action", choices=ACTIONS)
    add("names", nargs="*", metavar="NAME", help="weights, or NAME=FILE for path")
    add("--method", help="all that this method needs, with --models")
    add_options(parser, "--models")
    add("--all", action="store_true", help="all that list shows")
    parser.set_defaults(models="paper")


def run(args: argparse.Namespace, rest: list[str]) -> int:
    dotted(rest, "weights")
    return ACTIONS[args.action](args)


def _list(args: argparse.Namespace) -> int:
    from rich import box
    from rich.console import Console
    from rich.table import Table

    table = Table(box=box.SIMPLE, pad_edge=False)
    for column in ("name", "for", "MB", "licence", "here"):
        table.add_column(column, justify="right" if column == "MB" else "left", no_wrap=True)
    for entry in catalogue():
        here = "yes" if local_path(by_name(entry.name)) else "no"
        table.add_row(entry.name, entry.use, str(entry.megabytes), entry.licence, here)
    Console(width=None if sys.stdout.isatty() else 160).print(table)
    return 0


def _names(args: argparse.Namespace) -> list[str]:
    """Names on the command line, of a method's networks, and with --all of the catalogue."""
    names = list(args.names)
    if args.all:
        names += [entry.name for entry in catalogue()]
    if args.method:
        names += weights_of(compose(args.method, args.models))
    return list(dict.fromkeys(names))


def _fetch(args: argparse.Namespace) -> int:

    names = _names(args)
    if not names:
        raise AtelierError("Nothing is named to fetch; give a NAME, --method M or --all")
    missing = [weights for weights in map(by_name, names) if not local_path(weights)]
    if missing and offline():
        raise AtelierError(
            f"HF_HUB_OFFLINE forbids connections, and {missing[0].name} is missing; unset it"
        )
    code = 0
    for weights in missing:
        print(f"fetching {weights.name}", file=sys.stderr)
        try:
            fetch(weights)
        except AtelierError as error:  # one failure does not stop the others
            code = 2
            print(f"atelier: {error}", file=sys.stderr)
    for weights in map(by_name, names):
        if path := local_path(weights):
            print(f"{weights.name}  {path}")
    return code


def _path(args: argparse.Namespace) -> int:

    if not args.names:
        raise AtelierError("No file is named; write atelier weights path NAME=FILE")
    for pair in args.names:
        name, equals, file = pair.partition("=")
        if not (equals and file):
            raise AtelierError(f"{pair!r} is not NAME=FILE, e.g. torchvision:vgg19=vgg19.pth")
        register(name, Path(file))
        print(f"{name}  {Path(file).absolute()}")
    return 0


def _verify(args: argparse.Namespace) -> int:

    words, verdicts = {True: "intact", False: "ALTERED", None: "no checksum is known"}, []
    for weights in map(by_name, _names(args) or [entry.name for entry in catalogue()]):
        if path := local_path(weights):
            verdicts.append(intact(path))
            print(f"{weights.name}  {words[verdicts[-1]]}  {path}")
        elif args.names:
            raise AtelierError(f"{weights.name} is not here; fetch it first")
    return 2 if False in verdicts else 0


ACTIONS = {"list": _list, "fetch": _fetch, "path": _path, "verify": _verify}
