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
from pathlib import Path

from experiments.campaigns.comparing import ComparisonOrder
from experiments.run.configuration import EMBEDDED
from experiments.run.options import A_METHOD, add_options, dotted, pairs

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
    methods = [name.strip() for name in args.methods.split(",") if name.strip()]
    order = ComparisonOrder(
        image=args.image,
        methods=methods,
        instruction=args.instruction or "",
        targets=pairs(args.target or ()),
        exceptions=getattr(args, "except") or (),
        masks=args.mask or (),
        mask_values=args.mask_value or (),
        models=args.models,
        parser=args.parser,
        base_url=args.base_url,
        segmenter=args.segmenter,
        short={name: getattr(args, name) for name in SHORT if getattr(args, name) is not None},
        settings=dotted(rest, "compare", ""),
        out=args.out and Path(args.out),
        overwrite=args.overwrite,
        wandb=not args.no_wandb,
    )
    sheet = order.carry_out()
    if sheet.scores:
        print(sheet.file)
    return 2 if sheet.failures else 0
