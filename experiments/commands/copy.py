"""Copy a method, a metric or another part into a folder of yours, to change it there.

The Python file gets a name of its own, and so does the class in it; of a method the YAML files come
along, with the class path of the copy, so that it runs at once. Nothing is overwritten.

  atelier copy clipstyler                        my_clipstyler.py, my_clipstyler.yaml, ... here
  atelier copy soulstyler methods --name glaze   methods/glaze.py with the class Glaze, ...
  atelier copy bridge --kind segmenters          my_bridge.py with the class MyBridgeSegmenter
  atelier stylize boat.jpg --style fire --method my_clipstyler.yaml
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from datamodules.support.errors import AtelierError
from experiments.run.copying import KINDS, copy, find


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("part", metavar="METHOD", help="a method, or another name of `atelier list`")
    add("folder", nargs="?", default=".", help="where to put it (default: the current folder)")
    add("--kind", choices=KINDS, help="of a name that several kinds have")
    add("--name", help="of the new files (default: my_METHOD)")


def run(args: argparse.Namespace, rest: list[str]) -> int:
    if rest:
        raise AtelierError(f"atelier copy takes no {rest[0]!r}; see --help")
    kind = find(args.part, args.kind)
    copied = copy(kind, args.part, Path(args.folder), args.name or f"my_{args.part}")
    print(*copied.files, sep="\n")
    print(f"use it by {copied.use}", file=sys.stderr)
    return 0
