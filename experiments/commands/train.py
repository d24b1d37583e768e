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
from pathlib import Path
from typing import Any

from datamodules.support.errors import AtelierError
from datamodules.support.files import slug
from experiments.run.configuration import EMBEDDED, Configuration, compose_training, read_config
from experiments.run.options import absolute, add_options, dotted
from experiments.run.registry import TRAINING, names

SETTINGS = {  # short options and their settings
    "folder": "data.folders",
    "styles": "data.styles",
    "style": "data.styles",
    "crop": "data.crop",
    "batch": "data.batch_size",
    "ckpt": "model.generator.weights",
    "steps": "trainer.max_steps",
    "seed": "seed_everything",
    "device": "trainer.accelerator",
    "out": "training.out",
    "resume": "training.out",
}


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
    config = _configuration(args)
    settings = _settings(args) | dotted(rest, "train", "")
    from experiments.run.train import train

    weights = train(config, settings)
    if weights:  # of several processes one prints
        print(f"weights  {weights}")
    return 0


def _configuration(args: argparse.Namespace) -> Configuration:
    if bool(args.config) == bool(args.resume):
        raise AtelierError(
            f"Give what to train, one of {', '.join(names(TRAINING))} or a YAML file, or --resume "
            "with the folder of an unfinished training"
        )
    if not args.resume:
        return compose_training(args.config, args.models or EMBEDDED)
    if args.models or args.out:
        raise AtelierError("--resume has its own folder and networks; leave --out and --models out")
    return read_config(Path(args.resume, "config.yaml"))


def _settings(args: argparse.Namespace) -> dict[str, Any]:
    """Settings, by dotted name, of the short options on the command line."""
    if args.style and args.styles:
        raise AtelierError("Give --style for single styles, or --styles for a file, not both")
    values = {setting: getattr(args, option) for option, setting in SETTINGS.items()}
    values["data.styles"] = args.style or (args.styles and absolute(args.styles))
    values["data.folders"] = args.folder and [
        place if place == "packages" else absolute(place) for place in args.folder
    ]
    values["model.generator.weights"] = args.ckpt and absolute(args.ckpt)
    values["training.out"] = args.resume or args.out or _folder(args)
    values = {setting: value for setting, value in values.items() if value is not None}
    values |= {"wandb.enabled": False} if args.no_wandb else {}
    return values | ({"training.overwrite": True} if args.overwrite else {})


def _folder(args: argparse.Namespace) -> str:
    words = [Path(args.config).stem, *map(slug, args.style or ())]
    return str(Path("runs", "-".join(("train", *words))[:100]))
