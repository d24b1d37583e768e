"""Find an object in a picture and write its mask.

The mask is an 8-bit PNG of the picture's size, white = object.

  atelier mask skimage:rocket rocket
  atelier mask boat.jpg sea --except boat
  atelier mask boat.jpg "everything except the boat and the lighthouse"
  atelier mask boat.jpg "white sailboat" --segmenter clipseg --data.segmenter.threshold 0.3
"""

from __future__ import annotations

import argparse
import sys

from experiments.run.options import add_options, dotted


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_options(parser, "image")
    parser.add_argument("phrase", help='the object, e.g. "white sailboat"')
    add_options(parser, "--except", "--segmenter")
    parser.set_defaults(segmenter="bridge")
    parser.add_argument("-o", "--out", default="mask.png", help="default: %(default)s")


def run(args: argparse.Namespace, rest: list[str]) -> int:
    own = dotted(rest, "mask", "data.segmenter.")
    from experiments.run.parts import build_segmenter

    segmenter = build_segmenter(args.segmenter, own)
    from experiments.run.mask import find_mask, object_targets

    targets = object_targets(args.phrase, getattr(args, "except") or (), segmenter)
    mask = find_mask(args.image, targets, segmenter)
    print(mask.line(), file=sys.stderr)
    mask.save(args.out)
    print(args.out)
    return 0
