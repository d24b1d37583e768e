"""Give an object in a picture the style that a sentence names.

The sentence is split into object and style, the object is found in the picture, and a small network
is optimised until an image-text encoder sees the style there. All that is left is a run folder:
pictures, mask, losses, metrics and the configuration that reproduces it.

  atelier stylize boat.jpg "Turn the white sailboat to the art on fire"
  atelier stylize skimage:chelsea --object cat --style mosaic --steps 200
  atelier stylize boat.jpg "Make the boat look like glass" --mask boat-mask.png --model.tau 0.6
  atelier stylize boat.jpg --method fusion --target "boat=fire" --target "background=snow"
  atelier stylize boat.jpg --method sem_cs --object boat --style gold --background-style neon
  atelier stylize boat.jpg --object boat --style "0.7*Van Gogh + 0.3*Hokusai" --keep-color
  atelier stylize boat.jpg --object boat --style-image painting.jpg
  atelier stylize --config runs/NAME/config.yaml

Any setting of the configuration can be given by its dotted name; `atelier fit --help` lists them.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from functools import partial
from pathlib import Path

from datamodules.run_folder import ENHANCED, FULL, OUTPUT, RunFolder
from datamodules.support.errors import AtelierError
from experiments.commands.parse import PARSERS
from experiments.run.presets import compose, require_shared
from experiments.run.registry import METHODS, chosen

# Short options of this command and the settings they stand for.
SETTINGS = {
    "image": "data.image",
    "instruction": "data.instruction",
    "object": "data.object",
    "style": "data.style",
    "background_style": "data.background_style",
    "style_image": "data.style_image",
    "mode": "model.mode",
    "composite": "model.blending.composite",
    "keep_color": "model.blending.keep_color",
    "strength": "model.blending.strength",
    "brush": "model.brush",
    "size": "data.size",
    "full_size": "data.full_size",
    "steps": "trainer.max_steps",
    "seed": "seed_everything",
    "out": "run.out",
    "device": "trainer.accelerator",
}

FULL_SIZE = 2048  # px


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("image", nargs="?", help="a picture file, or skimage:NAME (rocket, coffee, chelsea, ...)")
    add("instruction", nargs="?", help="what to do: object and style in one sentence")
    add("--method", default="soulstyler", help="a file in configs/methods (default: %(default)s)")
    add("--models", help="a file in configs/models: embedded, fast, paper, siglip, reference")
    add("--config", help="a configuration file instead of a method, e.g. of an earlier run")
    add("--object", help="the object; skips the language model together with --style")
    add("--style", help="the style; skips the language model together with --object or --mask")
    add("--background-style", metavar="STYLE", help="a style for all that is not the object")
    add(
        "--target",
        action="append",
        metavar="OBJECT=STYLE",
        help='an object with its style; repeat it for several (object "background": the rest)',
    )
    add("--style-image", metavar="FILE", help="a picture that shows the object's style")
    add(
        "--mask",
        action="append",
        metavar="FILE",
        help="a mask picture, white = object; skips the segmenter; repeat it for several objects",
    )
    add("--strength", type=float, metavar="0..1", help="how much of the change is shown")
    add("--keep-color", action="store_true", default=None, help="keep the photo's colours")
    add(
        "--composite",
        action=argparse.BooleanOptionalAction,
        help="keep the photo, to the last bit, outside the mask",
    )
    add("--brush", metavar="0..1", help="size of the strokes, relative to the shorter side")
    add("--mode", choices=["paper", "reference"], help="the paper's formulas or its code's")
    add("--size", type=int, metavar="PX", help="longer side of the working picture")
    add(
        "--full-size",
        type=int,
        metavar="PX",
        help="longer side of output_full.png, painted from the photo itself and no larger than it; "
        f"0 = none (default: {FULL_SIZE})",
    )
    add("--steps", type=int, help="optimisation steps")
    add("--parser", choices=PARSERS, help="what splits the sentence (default: smollm2)")
    add("--seed", type=int, help="the same seed gives the same picture on one machine's processor")
    add("--out", metavar="DIR", help="the run's folder (default: runs/METHOD-PICTURE-OBJECT-STYLE)")
    add("--overwrite", action="store_true", help="replace a finished run in --out")
    add("--device", choices=["auto", "cpu", "gpu"], help="where to compute (default: auto)")
    add("--no-wandb", action="store_true", help="do not log to Weights & Biases")


def run(args: argparse.Namespace, rest: list[str]) -> int:
    started = time.perf_counter()
    arguments = _lightning_arguments(args) + rest
    if args.models:
        require_shared(args.models, rest)
    from datamodules.images import load_picture

    for path in (args.image, args.style_image):
        if path:
            load_picture(path)  # refused now, not after the models are loaded
    from experiments.run.lightning_cli import AtelierCLI

    cli = AtelierCLI.from_arguments(arguments, started)
    folder = cli.run(announce=partial(_announce, cli))
    _print_result(folder.folder)
    return 0


def _lightning_arguments(args: argparse.Namespace) -> list[str]:
    """This command's options as LightningCLI's."""
    config = configuration(args)
    given = {setting: getattr(args, option) for option, setting in SETTINGS.items()}
    if not args.config and not args.image:
        raise AtelierError("There is no picture; give a file or skimage:rocket")
    for option in ("image", "style_image"):
        if path := getattr(args, option):
            given[SETTINGS[option]] = absolute(path)
    if args.full_size is None and not args.config:
        given["data.full_size"] = FULL_SIZE
    if args.mask:
        given["data.mask"] = json.dumps([absolute(path) for path in args.mask])
    if args.target:
        given["data.targets"] = json.dumps(pairs(args.target))
    if args.parser:
        given["data.parser"] = PARSERS[args.parser].configured()
    if args.no_wandb:
        given["wandb.enabled"] = "false"
    if args.overwrite:
        given["run.overwrite"] = "true"
    return [f"--config={config}"] + [f"--{k}={v}" for k, v in given.items() if v is not None]


def absolute(path: str) -> str:
    """Of a file, so that the run's config.yaml works from any folder."""
    return path if path.startswith("skimage:") else str(Path(path).absolute())


def pairs(targets: list[str]) -> dict[str, str]:
    """ "boat=fire" as {"boat": "fire"}."""
    pairs = {}
    for target in targets:
        name, equals, style = (part.strip() for part in target.partition("="))
        if not (name and equals and style):
            raise AtelierError(f'--target is {target!r}; write it as "boat=fire"')
        if name in pairs:
            raise AtelierError(
                f'--target names {name!r} twice; blend its styles: "{name}=0.5*{pairs[name]} + '
                f'0.5*{style}"'
            )
        pairs[name] = style
    return pairs


def configuration(args: argparse.Namespace) -> str:
    """The configuration that is asked for: a file's path, or YAML that a preset goes into."""
    if args.config:
        if args.models:
            raise AtelierError("--models goes with --method; a --config names its models itself")
        if not Path(args.config).is_file():
            raise AtelierError(f"There is no configuration at {args.config}; check --config")
        return args.config
    method = chosen(args.method, METHODS, "method")
    return compose(method, args.models) if args.models else str(method)


def _announce(cli, folder) -> None:
    """What was understood, before the time is spent on it."""
    from datamodules.parsing.blend import in_words

    for region in folder.task.regions:
        print(f"object   {region.name or '(none named)'}", file=sys.stderr)
        style = in_words(region.styles) if region.styles else "(shown by its picture)"
        print(f"style    {style}", file=sys.stderr)
        covered = float((region.mask > 0.5).float().mean())
        print(f"mask     covers {covered:.1%} of the picture", file=sys.stderr)
    print(f"memory   about {cli.needed / 1e9:.1f} GB beside the networks", file=sys.stderr)


def _print_result(folder: Path) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table

    from evaluation.metrics.style import judgements

    result = RunFolder(folder).result
    metrics, seconds = result.metrics, result.seconds
    rows = {
        "time": f"{sum(seconds.values()):.1f} s ("
        + ", ".join(f"{stage} {value:.1f}" for stage, value in seconds.items())
        + ")",
        "losses": ", ".join(f"{name} {value:.4g}" for name, value in result.losses.items()),
        "background": "none: the mask covers everything",
    }
    for score, role in (("style_global", ""), ("own_style_global", ", which was optimised")):
        before = judgements(metrics, f"{score}_before")
        for judge, after in judgements(metrics, score).items():
            rows[f"nearness to the style by {judge}{role}"] = (
                f"{before.get(judge, 0):.3f} before, {after:.3f} after"
            )
    if metrics.get("background_max_error") is not None:
        rows["background"] = (
            f"max error {metrics['background_max_error'] * 255:.0f} of 255, "
            f"mean {metrics['background_mean_error'] * 255:.3f}"
        )
    table = Table(show_header=False, box=box.SIMPLE, pad_edge=False)
    for name, value in rows.items():
        table.add_row(name, value)
    Console().print(table)
    # Paths whole, on lines of their own, for eyes and scripts alike.
    print(f"output    {folder / OUTPUT}\nenhanced  {folder / ENHANCED}")
    if (folder / FULL).exists():
        print(f"full      {folder / FULL}")
