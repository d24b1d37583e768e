"""Give an object in a picture the style that a sentence names.

The sentence is split into object and style, the object is found in the picture, and a small network
is optimised until an image-text encoder sees the style there. All that is left is a run folder:
pictures, mask, losses, metrics and the configuration that reproduces it.

  atelier stylize boat.jpg "Turn the white sailboat to the art on fire"
  atelier stylize skimage:chelsea --object cat --style mosaic --steps 200
  atelier stylize boat.jpg "Make the boat look like glass" --mask boat-mask.png --model.tau 0.6
  atelier stylize --config runs/NAME/config.yaml

Any setting of the configuration can be given by its dotted name; `atelier fit --help` lists them.
"""

from __future__ import annotations

import argparse
import difflib
import sys
import time
from pathlib import Path

from datamodules.errors import AtelierError

METHODS = Path(__file__).parents[1] / "configs" / "methods"

# Short options of this command and the settings they stand for.
SETTINGS = {
    "image": "data.image",
    "instruction": "data.instruction",
    "object": "data.object",
    "style": "data.style",
    "mask": "data.mask",
    "size": "data.size",
    "steps": "trainer.max_steps",
    "seed": "seed_everything",
    "out": "run.out",
    "device": "trainer.accelerator",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("image", nargs="?", help="a picture file, or skimage:NAME (rocket, coffee, chelsea, ...)")
    add("instruction", nargs="?", help="what to do: object and style in one sentence")
    add("--method", default="soulstyler", help="a file in configs/methods (default: %(default)s)")
    add("--config", help="a configuration file instead of a method, e.g. of an earlier run")
    add("--object", help="the object; skips the language model together with --style")
    add("--style", help="the style; skips the language model together with --object or --mask")
    add("--mask", metavar="FILE", help="a mask picture, white = object; skips the segmenter")
    add("--size", type=int, metavar="PX", help="longer side of the working picture")
    add("--steps", type=int, help="optimisation steps")
    add("--seed", type=int, help="the same seed gives the same picture on one machine's processor")
    add("--out", metavar="DIR", help="the run's folder (default: runs/METHOD-PICTURE-OBJECT-STYLE)")
    add("--overwrite", action="store_true", help="replace a finished run in --out")
    add("--device", choices=["auto", "cpu", "gpu"], help="where to compute (default: auto)")
    add("--no-wandb", action="store_true", help="do not log to Weights & Biases")


def run(args: argparse.Namespace, rest: list[str]) -> int:
    started = time.perf_counter()
    arguments = _lightning_arguments(args) + rest
    from datamodules.images import load_picture

    if args.image:
        load_picture(args.image)  # refused now, not after the models are loaded
    from experiments.runner import AtelierCLI

    cli = AtelierCLI.from_arguments(arguments, started)
    folder = cli.run(announce=_announce)
    _print_result(folder.folder)
    return 0


def _lightning_arguments(args: argparse.Namespace) -> list[str]:
    """This command's options as LightningCLI's."""
    config = Path(args.config) if args.config else method_config(args.method)
    if not config.is_file():
        raise AtelierError(f"There is no configuration at {config}; check --config")
    given = {setting: getattr(args, option) for option, setting in SETTINGS.items()}
    if not args.config and not args.image:
        raise AtelierError("There is no picture; give a file or skimage:rocket")
    for option in ("image", "mask"):
        if (path := getattr(args, option)) and not path.startswith("skimage:"):
            # Absolute, so that the run's config.yaml works from any folder.
            given[SETTINGS[option]] = str(Path(path).absolute())
    if args.no_wandb:
        given["wandb.enabled"] = "false"
    if args.overwrite:
        given["run.overwrite"] = "true"
    return [f"--config={config}"] + [f"--{k}={v}" for k, v in given.items() if v is not None]


def method_config(name: str) -> Path:
    """The YAML of a method by its name; AtelierError names the known ones and the nearest."""
    known = {path.stem: path for path in sorted(METHODS.glob("*.yaml"))}
    if name not in known:
        nearest = difflib.get_close_matches(name, known, n=1)
        hint = f"; did you mean {nearest[0]}?" if nearest else ""
        raise AtelierError(f"There is no method {name!r}; there are {', '.join(known)}{hint}")
    return known[name]


def _announce(folder) -> None:
    """What was understood, before the time is spent on it."""
    for target, mask in zip(folder.task.targets, folder.task.masks, strict=True):
        print(f"object   {target.object or '(given by its mask)'}", file=sys.stderr)
        print(f"style    {target.style}", file=sys.stderr)
        covered = float((mask > 0.5).float().mean())
        print(f"mask     covers {covered:.1%} of the picture", file=sys.stderr)


def _print_result(folder: Path) -> None:
    import json

    from rich import box
    from rich.console import Console
    from rich.table import Table

    result = json.loads((folder / "result.json").read_text(encoding="utf-8"))
    metrics, seconds = result["metrics"], result["seconds"]
    rows = {
        "time": f"{sum(seconds.values()):.1f} s ("
        + ", ".join(f"{stage} {value:.1f}" for stage, value in seconds.items())
        + ")",
        "losses": ", ".join(f"{name} {value:.4g}" for name, value in result["losses"].items()),
        "background": "none: the mask covers everything",
        f"similarity to the style ({result['encoder']})": (
            f"{metrics['style_similarity_before']:.3f} before, "
            f"{metrics['style_similarity_after']:.3f} after"
        ),
    }
    if "background_max_error" in metrics:
        rows["background"] = (
            f"max error {metrics['background_max_error'] * 255:.0f} of 255, "
            f"mean {metrics['background_mean_error'] * 255:.3f}"
        )
    table = Table(show_header=False, box=box.SIMPLE, pad_edge=False)
    for name, value in rows.items():
        table.add_row(name, value)
    Console().print(table)
    # Paths whole, on lines of their own, for eyes and scripts alike.
    print(f"output    {folder / 'output.png'}\nenhanced  {folder / 'output_enhanced.png'}")
