"""Train a network that paints any picture in the style of a text in one pass.

The network learns on photos, cut at random, in the styles of texts, judged by an image-text
encoder as in CLIPstyler. The result is a folder with the weights, the losses, and pictures from
time to time; the same command goes on after an interruption. docs/training.md has more.

  atelier train fast_clipstyler --folder photos --styles texts.txt
  atelier train clipstyler_fast --folder DIV2K --style fire --models paper
  atelier train fast_clipstyler --folder packages --steps 100 --batch 8 --trainer.devices 2
  atelier train mine.yaml --trainer.precision bf16-mixed --trainer.accumulate_grad_batches 4
  atelier train --resume runs/train-fast_clipstyler
  atelier stylize boat.jpg --style fire --method fast_clipstyler --ckpt NAME/weights.safetensors

Any setting of the configuration can be given by its dotted name, the trainer's included.
"""

from __future__ import annotations

import argparse

from datamodules.support.errors import AtelierError
from experiments.run.options import add_options, dotted
from experiments.run.registry import TRAINING, names
from experiments.run.training_order import TrainingOrder


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    choices = ", ".join(names(TRAINING))
    add("config", nargs="?", help=f"one of {choices}, a YAML file, or a class path")
    add_options(parser, "--models")
    add(
        "--folder",
        action="append",
        metavar="DIR",
        help='a folder of photos with all folders in it; repeat it for several; "packages": the '
        "photos that installed packages ship",
    )
    add("--style", action="append", metavar="TEXT", help="a style; repeat it for several")
    add("--styles", metavar="FILE", help="a text file with one style per line")
    add("--crop", type=int, metavar="PX", help="side of the random crops")
    add("--batch", type=int, metavar="N", help="pictures per step, over all devices")
    add("--ckpt", metavar="FILE", help="weights of an earlier training to begin with")
    add_options(parser, "--steps", "--seed")
    add("--out", metavar="DIR", help="the training's folder (default: runs/train-CONFIG)")
    add("--resume", metavar="DIR", help="go on with the unfinished training in this folder")
    add_options(parser, "--overwrite", "--device", "--no-wandb")


def run(args: argparse.Namespace, rest: list[str]) -> int:
    if args.style and args.styles:
        raise AtelierError("Give --style for single styles, or --styles for a file, not both")
    same = ("config", "resume", "models", "crop", "batch", "ckpt", "steps", "seed", "device", "out")
    order = TrainingOrder(
        **{name: getattr(args, name) for name in same},
        folders=args.folder,
        styles=args.style or args.styles,
        overwrite=args.overwrite,
        wandb=not args.no_wandb,
        further=dotted(rest, "train", ""),
    )
    weights = order.carry_out()
    if weights:  # of several processes one prints
        print(f"weights  {weights}")
    return 0
