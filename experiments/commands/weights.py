"""Get and check the papers' models, whose weights no package ships.

  atelier weights list                              the weights that configurations name
  atelier weights fetch --method soulstyler         all that the method needs on --models paper
  atelier weights fetch torchvision:vgg19           one of them
  atelier weights fetch --all --dry-run             which files, from where and how large
  atelier weights path torchvision:vgg19=vgg19.pth  let a name stand for a file that you have
  atelier weights path cris=best_model.pth          the same, for one that no program can download
  atelier weights verify                            compare the files with their checksums

Files go to the libraries' own caches (HF_HOME, TORCH_HOME), where other programs may have put them
already. A download that was cut continues. Besides the listed names, fetch takes any
open_clip:MODEL/TAG, torchvision:MODEL, timm:MODEL, hf:REPOSITORY, file:REPOSITORY/FILE and
piq:TAG/FILE. Servers and access are those of HF_ENDPOINT, HF_TOKEN, ATELIER_TORCHVISION_URL and
HTTPS_PROXY.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from datamodules.models.catalogue import catalogue
from datamodules.models.connection import forbidding_variable, online
from datamodules.models.fetching import altered_files, fetch, remote_files
from datamodules.models.published import local_path, register
from datamodules.models.schemes import by_name
from datamodules.models.weights import RemoteFile, Weights
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
    add("--dry-run", action="store_true", help="fetch: say which files and how large, no more")
    parser.set_defaults(models="paper")


def run(args: argparse.Namespace, rest: list[str]) -> int:
    # argparse takes names only next to the action; here they may follow options.
    args.names += [word for word in rest if not word.startswith("-")]
    dotted([word for word in rest if word.startswith("-")], "weights")
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
    if args.dry_run:
        return _describe(names)
    missing = [weights for weights in map(by_name, names) if not local_path(weights)]
    remote = [weights for weights in missing if not weights.by_hand]
    if remote and (variable := forbidding_variable()):
        raise AtelierError(
            f"{variable} forbids connections, and {remote[0].name} is missing; unset it"
        )
    code = 0
    for weights in missing:
        if not weights.by_hand:
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


def _describe(names: list[str]) -> int:
    """Print which files of which servers `fetch` would download, their sizes, and the sum."""
    code, sizes, about = 0, [], ""
    licences = {entry.name: f"  licence: {entry.licence}" for entry in catalogue()}
    for weights in map(by_name, names):
        try:
            if path := local_path(weights):
                print(f"{weights.name}\n  is here: {path}")
                continue
            files = [] if weights.by_hand else _files(weights)
        except AtelierError as error:  # as in fetch
            code = 2
            print(f"atelier: {error}", file=sys.stderr)
            continue
        print(weights.name + licences.get(weights.name, ""))
        for line in [weights.by_hand] if weights.by_hand else map(_line, files):
            print(f"  {line}")
        sizes += [file.size or 0 for file in files if not file.here]
        about = "about " if any(file.about for file in files) else about
    print(f"to fetch: {len(sizes)} files, {about}{sum(sizes) / 1e6:,.1f} MB")
    return code


def _files(weights: Weights) -> list[RemoteFile]:
    """The files as their server lists them; if it does not answer, as the library names them."""
    if online(weights.address()):
        return remote_files(weights)
    source = weights.source()
    size = next((e.megabytes * 10**6 for e in catalogue() if e.name == weights.name), None)
    return [RemoteFile(source.place, " or ".join(source.files), source.revision, size, about=True)]


def _line(file: RemoteFile) -> str:
    """One file: name, repository and revision or server, size (MB = 10^6 bytes)."""
    revision = f", revision {file.revision}" if file.revision else ""
    size = "unknown size" if file.size is None else f"{file.size / 1e6:,.1f} MB"
    here = "is here" if file.here else f"about {size}" if file.about else size
    return f"{file.name} from {file.place}{revision}: {here}"


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
    code = 0
    for weights in map(by_name, _names(args) or [entry.name for entry in catalogue()]):
        if path := local_path(weights):
            files = altered_files(path)
            code = 2 if files else code
            verdict = "no checksum is known" if files is None else "ALTERED" if files else "intact"
            print(f"{weights.name}  {verdict}  {path}")
        elif args.names:
            raise AtelierError(f"{weights.name} is not here; fetch it first")
    return code


ACTIONS = {"list": _list, "fetch": _fetch, "path": _path, "verify": _verify}
