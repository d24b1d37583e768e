"""Find an object in a picture and write its mask.

The mask is an 8-bit PNG of the picture's size, white = object.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from datamodules.support.errors import AtelierError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("image", help="a picture file, or skimage:NAME")
    parser.add_argument("phrase", help='what to find, e.g. "white sailboat"')
    parser.add_argument("-o", "--out", default="mask.png", help="default: %(default)s")


def run(args: argparse.Namespace, rest: list[str]) -> int:
    if rest:
        raise AtelierError(f"atelier mask knows no {rest[0]}; see atelier mask --help")
    from datamodules.images import load_picture, save_png, to_picture, to_tensor
    from datamodules.segmentation.bridge import BridgeSegmenter

    picture = load_picture(args.image)
    mask = BridgeSegmenter().segment(to_tensor(picture), args.phrase)
    save_png(to_picture(mask), Path(args.out))
    print(args.out)
    return 0
