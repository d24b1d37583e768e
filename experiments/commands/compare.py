"""Show what several methods make of one picture and one instruction, side by side.

All get the same object, style, mask, size and seed. The folder holds the runs, as a sweep's folder
does, and compare.png: the picture, the mask, and each output with its scores underneath
(compare.json has them as numbers). Finished runs are not made again: give the same command to go on
after an interruption, or with more --methods.

  atelier compare boat.jpg "Turn the boat to fire" --methods clipstyler,soulstyler
  atelier compare skimage:coffee --target "cup=gold" --target "background=snow" \\
      --methods sem_cs,fusion
  atelier compare boat.jpg "Turn the boat to fire" --parser rules --segmenter clipseg
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path

from datamodules.support.errors import AtelierError
from datamodules.support.files import slug
from experiments.campaigns.plan import check_method
from experiments.run.configuration import EMBEDDED
from experiments.run.options import add_options, below, check_endpoint, dotted, pairs
from experiments.run.registry import METHODS, path_of

PARSER, SEGMENTER = "data.parser.", "data.segmenter."  # beginnings of their settings
DEFAULT = "clipstyler,generative_artisan,sem_cs,soulstyler"
SHORT = ("size", "steps", "seed")  # options that become settings of all runs


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add_options(parser, "image", "instruction")
    add("--methods", default=DEFAULT, help="names in configs/methods (default: %(default)s)")
    add_options(parser, "--models", "--target", "--mask", "--parser", "--base-url", "--segmenter")
    parser.set_defaults(models=EMBEDDED, parser="smollm2", segmenter="bridge")
    add_options(parser, "--size", "--steps", "--seed")
    add("--out", metavar="DIR", help="the folder (default: runs/compare-PICTURE-OBJECT-STYLE)")
    add("--overwrite", action="store_true", help="make finished runs of the folder again")
    add_options(parser, "--no-wandb")


def run(args: argparse.Namespace, rest: list[str]) -> int:
    check_endpoint(args)
    settings = dotted(rest, "compare", "")
    methods = [name.strip() for name in args.methods.split(",") if name.strip()]
    if not methods:
        raise AtelierError("--methods names none; give e.g. --methods clipstyler,soulstyler")
    for name in methods:
        path_of(name, METHODS, "method")
    if not (args.instruction or args.target):
        raise AtelierError('There is no instruction; give one, or --target "boat=fire"')
    from datamodules.images import load_picture
    from experiments.campaigns.comparison import SHEET, Comparison, compare, write_masks
    from experiments.run.parts import build_segmenter

    load_picture(args.image)  # refused now, not after the parser has been loaded
    styles = pairs(args.target) if args.target else _parse(args, settings)
    for method in methods:
        check_method(method, styles)
    words = ("compare", Path(args.image).stem, *next(iter(styles.items())))
    root = Path(args.out or Path("runs") / "-".join(map(slug, words)))
    masks = args.mask
    if not masks:
        own = below(settings, SEGMENTER)
        segmenter = build_segmenter(args.segmenter, own)
        masks = write_masks(args.image, styles, segmenter, f"{args.segmenter} {own}", root)
    values = {name: getattr(args, name) for name in SHORT if getattr(args, name) is not None}
    values |= {k: v for k, v in settings.items() if not k.startswith((PARSER, SEGMENTER))}
    comparison = Comparison(args.image, styles, masks, methods, args.models, values)
    scores = compare(comparison, root, args.overwrite, wandb=not args.no_wandb)
    if scores:
        print(root / SHEET)
    return 0 if len(scores) == len(methods) else 2


def _parse(args: argparse.Namespace, settings: Mapping[str, str]) -> dict[str, str]:
    """Styles by object, as the chosen parser understands the instruction."""
    from experiments.campaigns.comparison import parse_styles
    from experiments.run.parts import build_parser

    parser = build_parser(args.parser, args.base_url, below(settings, PARSER))
    return parse_styles(args.instruction, parser)
