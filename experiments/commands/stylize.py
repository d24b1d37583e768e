"""Give an object in a picture the style that a sentence names.

The sentence is split into object and style, the object is found in the picture, and a generator is
optimised until an image-text encoder finds the style there. The result is a run folder: pictures,
mask, losses, metrics and the configuration that reproduces it.

  atelier stylize boat.jpg "Turn the white sailboat to the art on fire"
  atelier stylize skimage:chelsea --object cat --style mosaic --steps 200
  atelier stylize boat.jpg "Make the boat look like glass" --mask boat-mask.png --model.tau 0.6
  atelier stylize boat.jpg --method fusion --target "boat=fire" --target "background=snow"
  atelier stylize boat.jpg --object sea --style ice --except boat
  atelier stylize boat.jpg --method sem_cs --object boat --style gold --background-style neon
  atelier stylize boat.jpg --object boat --style "0.7*Van Gogh + 0.3*Hokusai" --keep-color
  atelier stylize boat.jpg --object boat --style-image painting.jpg
  atelier stylize boat.jpg "Turn the boat to fire" --parser api:NAME --base-url URL
  atelier stylize boat.jpg --method fast_clipstyler --object boat --style fire --to ice --frames 7
  atelier stylize boat.jpg --object boat --onnx fire.onnx
  atelier stylize --config runs/NAME/config.yaml
  atelier stylize --from picture.png
  atelier stylize --continue runs/NAME --steps 60

Any setting of the configuration can be given by its dotted name: docs/methods.md and `atelier fit
--model.help METHOD` explain those of a method, `atelier fit --help` the others.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from datamodules.recipes import USUAL_FULL_SIZE
from datamodules.run_folder import ENHANCED, FRAMES, FULL, MOVING, OUTPUT, STRIP, RunFolder
from experiments.run.configuration import METHOD, SEVERAL
from experiments.run.offline import say_sync
from experiments.run.options import A_METHOD, add_options, dotted
from experiments.run.order import Order
from experiments.run.watch import Speaker


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("image", nargs="?", help="a picture file, or skimage:NAME (rocket, coffee, chelsea, ...)")
    add_options(parser, "instruction")
    add(
        "--method",
        help=f"{A_METHOD} (default: {METHOD}, and {SEVERAL} for several styles)",
    )
    add_options(parser, "--models", "--ckpt")
    add("--config", help="a configuration file instead of a method, e.g. of an earlier run")
    add(
        "--from",
        metavar="PICTURE",
        help="the recipe in a picture that Atelier has made, instead of a method; for the photo in "
        "it, or for another one",
    )
    add("--object", help="the object; skips the parser together with --style")
    add("--style", help="the style; skips the parser together with --object")
    add("--background-style", metavar="STYLE", help="a style for all that is not the object")
    add("--style-image", metavar="FILE", help="a picture that shows the object's style")
    add("--onnx", metavar="FILE", help="paint with the style that atelier export has written")
    add_options(parser, "--target", "--except", "--mask", "--mask-value")
    add_options(parser, "--parser", "--base-url", "--segmenter")
    add("--strength", type=float, metavar="0..1", help="share of the change that is shown")
    add("--keep-color", action="store_true", default=None, help="keep the photo's colours")
    add(
        "--composite",
        action=argparse.BooleanOptionalAction,
        help="keep the photo, to the last bit, outside the mask",
    )
    add("--brush", metavar="0..1", help="size of the strokes, relative to the shorter side")
    add("--mode", choices=["paper", "reference"], help="the paper's formulas or its code's")
    add_options(parser, "--size")
    add(
        "--full-size",
        type=int,
        metavar="PX",
        help="longer side of output_full.png, painted from the photo itself and no larger than it; "
        f"0 = none (default: {USUAL_FULL_SIZE})",
    )
    add_options(parser, "--steps", "--seed", "--checkpoint-every", "--keep-checkpoint")
    add(
        "--continue",
        metavar="DIR",
        help="go on with the run in this folder, made with --keep-checkpoint, up to --steps",
    )
    add(
        "--to",
        action="append",
        metavar="STYLE",
        help='pictures on the way from the style to this one; for another object "boat=ice"; '
        "methods in one pass only",
    )
    add("--frames", type=int, metavar="N", help="number of these pictures (default: 7)")
    add("--full-frames", action="store_true", default=None, help="these at full size, too")
    add("--out", metavar="DIR", help="the run's folder (default: runs/METHOD-PICTURE-OBJECT-STYLE)")
    add_options(parser, "--overwrite", "--device", "--no-wandb")


def run(args: argparse.Namespace, rest: list[str]) -> int:
    further = dotted(rest, "stylize", "")
    order = Order(vars(args), further, args.method, args.models, args.config, args.onnx)
    folder = order.carry_out(Speaker())
    _print_result(folder)
    say_sync(folder)
    return 0


def _print_result(folder: Path) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table

    from experiments.run.stylize import summary

    table = Table(show_header=False, box=box.SIMPLE, pad_edge=False)
    for name, value in summary(RunFolder(folder).result).items():
        table.add_row(name, value)
    Console().print(table)
    # Paths whole, on lines of their own, for eyes and scripts alike.
    print(f"output    {folder / OUTPUT}\nenhanced  {folder / ENHANCED}")
    for name, path in {"full": FULL, "frames": FRAMES, "strip": STRIP, "moving": MOVING}.items():
        if (folder / path).exists():
            print(f"{name:10}{folder / path}")
