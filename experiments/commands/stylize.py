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

Any setting of the configuration can be given by its dotted name: docs/methods.md and `atelier fit
--model.help METHOD` explain those of a method, `atelier fit --help` the others.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from datamodules.run_folder import ENHANCED, FRAMES, FULL, MOVING, OUTPUT, STRIP, RunFolder
from datamodules.support.errors import AtelierError
from experiments.run.configuration import EMBEDDED, METHOD, SEVERAL, compose
from experiments.run.offline import say_sync
from experiments.run.options import (
    A_METHOD,
    absolute,
    add_options,
    check_endpoint,
    configuration,
    dotted,
    settings,
)

if TYPE_CHECKING:
    from lightning_modules.callbacks import WriteRun

FULL_SIZE = 2048  # px


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
        f"0 = none (default: {FULL_SIZE})",
    )
    add_options(parser, "--steps", "--seed", "--checkpoint-every")
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
    check_endpoint(args)
    _check_frames(args)
    file = _of_file(args) if args.onnx else {}
    config = configuration(args)
    if not args.config:
        if not args.image:
            raise AtelierError("There is no picture; give a file or skimage:rocket")
        args.full_size = FULL_SIZE if args.full_size is None else args.full_size
    from experiments.run.stylize import stylize

    free = not (args.method or args.config)
    several = compose(SEVERAL, args.models or EMBEDDED) if free else None
    own = settings(args) | file | dotted(rest, "stylize", "")
    folder = stylize(config, own, _announce, several)
    _print_result(folder)
    say_sync(folder)
    return 0


def _check_frames(args: argparse.Namespace) -> None:
    """Refuse --frames where nothing says which style they lead to."""
    if (args.frames or args.full_frames) and not (args.to or args.config):
        raise AtelierError("--frames goes with --to STYLE, the style of the last frame")


def _of_file(args: argparse.Namespace) -> dict[str, Any]:
    """Settings of a run that paints with --onnx; its object becomes a target without the parser."""
    others = ("method", "config", "style", "background_style", "style_image", "target", "to")
    if args.instruction or args.steps or any(getattr(args, name) for name in others):
        raise AtelierError(
            "--onnx paints in the style of its file, in one pass; leave everything out that names "
            "a style, a method or steps, and name the object with --object"
        )
    from lightning_modules.generators.onnx_painter import OnnxPainter

    style = OnnxPainter(args.onnx).about.get("style", "")
    target = {"object": args.object or "", "style": style}
    args.method, args.object = SEVERAL, None
    return {
        "model.generator": "onnx",
        "model.generator.file": absolute(args.onnx),
        "data.targets": [target],
        "trainer.max_steps": 0,
    }


def _announce(writer: WriteRun, needed: int) -> None:
    """Print how the instruction was understood, before the time is spent on it."""
    from datamodules.parsing.blend import in_words
    from datamodules.segmentation.base import mask_line

    for region in writer.task.regions:
        whole = "the whole picture" if bool((region.mask > 0.5).all()) else "(none named)"
        print(f"object   {region.area.name or whole}", file=sys.stderr)
        style = in_words(region.styles) if region.styles else "(not in words)"
        print(f"style    {style}", file=sys.stderr)
        phrases = (region.area.object, *region.area.exceptions)
        confidence = [writer.task.confidence.get(phrase) for phrase in phrases]
        print(mask_line(region.mask, confidence, writer.task.segmenter), file=sys.stderr)
    print(f"memory   about {needed / 1e9:.1f} GB beside the networks", file=sys.stderr)


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
