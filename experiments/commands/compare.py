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
from typing import TYPE_CHECKING

from datamodules.support.errors import AtelierError
from datamodules.support.files import slug
from experiments.campaigns.plan import check_method
from experiments.run.configuration import EMBEDDED, compose, with_settings
from experiments.run.options import A_METHOD, add_options, below, check_endpoint, dotted, pairs
from experiments.run.registry import find_methods

if TYPE_CHECKING:
    from datamodules.task import StyleTarget

PARSER, SEGMENTER = "data.parser.", "data.segmenter."  # beginnings of their settings
DEFAULT = "clipstyler,generative_artisan,sem_cs,soulstyler"
SHORT = ("size", "steps", "seed")  # options that become settings of all runs


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add_options(parser, "image", "instruction")
    add(
        "--methods",
        default=DEFAULT,
        help=f"{A_METHOD}, and more after commas (default: %(default)s)",
    )
    add_options(parser, "--models", "--target", "--except", "--mask", "--mask-value")
    add_options(parser, "--parser", "--base-url", "--segmenter")
    parser.set_defaults(models=EMBEDDED, parser="smollm2", segmenter="bridge")
    add_options(parser, "--size", "--steps", "--seed")
    add("--out", metavar="DIR", help="the folder (default: runs/compare-PICTURE-OBJECT-STYLE)")
    add("--overwrite", action="store_true", help="make finished runs of the folder again")
    add_options(parser, "--no-wandb")


def run(args: argparse.Namespace, rest: list[str]) -> int:
    check_endpoint(args.parser, args.base_url)
    settings = dotted(rest, "compare", "")
    methods = [name.strip() for name in args.methods.split(",") if name.strip()]
    if not methods:
        raise AtelierError("--methods names none; give e.g. --methods clipstyler,soulstyler")
    parts = {"data.parser": args.parser, "data.segmenter": args.segmenter} | settings
    find_methods(methods)  # refuses two of one name
    for name in methods:
        with_settings(compose(name, args.models), parts)  # refuses what any of them lacks
    if not (args.instruction or args.target):
        raise AtelierError('There is no instruction; give one, or --target "boat=fire"')
    from datamodules.images import load_photo
    from datamodules.reading.masks import mask_files
    from experiments.campaigns.comparison import SHEET, Comparison, compare, write_masks
    from experiments.run.parts import build_segmenter

    load_photo(args.image)  # refused now, not after the parser has been loaded
    targets = _targets(args, settings)
    for method in methods:
        check_method(method, targets)
    if args.mask and any(target.exceptions for target in targets):
        raise AtelierError(
            "With --mask a comparison takes no exceptions; paint what stays as it is black in the "
            'mask, and name the object with --target "OBJECT=STYLE"'
        )
    words = ("compare", Path(args.image).stem, targets[0].area.label, targets[0].style)
    root = Path(args.out or Path("runs") / "-".join(map(slug, words)))
    masks = mask_files(args.mask or [], args.mask_value or [])
    if not masks:
        own = below(settings, SEGMENTER)
        segmenter, origin = build_segmenter(args.segmenter, own), f"{args.segmenter} {own}"
        masks = mask_files(write_masks(args.image, targets, segmenter, origin, root), [])
    values = {name: getattr(args, name) for name in SHORT if getattr(args, name) is not None}
    values |= {k: v for k, v in settings.items() if not k.startswith((PARSER, SEGMENTER))}
    comparison = Comparison(args.image, targets, masks, methods, args.models, values)
    scores = compare(comparison, root, args.overwrite, wandb=not args.no_wandb)
    if scores:
        print(root / SHEET)
    return 0 if len(scores) == len(methods) else 2


def _targets(args: argparse.Namespace, settings: Mapping[str, str]) -> tuple[StyleTarget, ...]:
    """Objects and styles as given or, without any, as the chosen parser understands them."""
    from datamodules.request import Request
    from experiments.run.parts import build_parser

    parser = build_parser(args.parser, args.base_url, below(settings, PARSER))
    styles = pairs(args.target) if args.target else {}
    exceptions = getattr(args, "except") or ()
    request = Request(args.instruction or "", targets=styles, exceptions=exceptions)
    return request.resolve(parser).targets
