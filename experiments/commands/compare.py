"""Show what several methods make of one picture and one instruction, side by side.

All get the same object, style, mask, size and seed. The folder holds each method's run and
compare.png: the picture, the mask, and each output with its metrics underneath (compare.json has
them as numbers). What is finished is not done again: give the same command to go on after an
interruption, or with more --methods.

  atelier compare boat.jpg "Turn the boat to fire" --methods clipstyler,soulstyler
  atelier compare skimage:coffee --target "cup=gold" --target "background=snow" \\
      --methods sem_cs,fusion
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from datamodules.run_folder import CONTENT, OUTPUT, RunFolder
from datamodules.support.errors import AtelierError
from experiments.run.configuration import EMBEDDED, compose
from experiments.run.options import absolute, pairs
from experiments.run.registry import METHODS, method_class, path_of

if TYPE_CHECKING:
    from PIL import Image

DEFAULT = "clipstyler,generative_artisan,sem_cs,soulstyler"
SETTINGS = {"size": "data.size", "steps": "trainer.max_steps", "seed": "seed_everything"}
REQUEST = "request.json"  # what the folder's runs were asked for


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("image", help="a picture file, or skimage:NAME (rocket, coffee, chelsea, ...)")
    add("instruction", nargs="?", help="what to do: object and style in one sentence")
    add("--methods", default=DEFAULT, help="files in configs/methods (default: %(default)s)")
    add("--models", help="a file in configs/models: embedded, fast, paper, siglip, reference")
    add(
        "--target",
        action="append",
        metavar="OBJECT=STYLE",
        help='instead of an instruction; repeat it for several (object "background": the rest)',
    )
    add("--mask", action="append", metavar="FILE", help="a mask picture an object, white = object")
    add("--size", type=int, metavar="PX", help="longer side of the working picture")
    add("--steps", type=int, help="optimisation steps of every method")
    add("--seed", type=int, help="of every method")
    add("--out", metavar="DIR", help="the folder (default: runs/compare-PICTURE-OBJECT-STYLE)")
    add("--overwrite", action="store_true", help="do finished runs of the folder again")
    add("--no-wandb", action="store_true", help="do not log to Weights & Biases")


def run(args: argparse.Namespace, rest: list[str]) -> int:
    methods = dict.fromkeys(name.strip() for name in args.methods.split(",") if name.strip())
    configs = {name: path_of(name, METHODS, "method") for name in methods}
    if not configs:
        raise AtelierError("--methods names none; give e.g. --methods clipstyler,soulstyler")
    from datamodules.images import load_picture, save_png
    from datamodules.support.files import slug, write_json

    picture = load_picture(args.image)
    styles = pairs(args.target) if args.target else _parsed(args.instruction)
    _check(configs, styles)
    name, style = next(iter(styles.items()))
    words = ("compare", Path(args.image).stem, name, style)
    out = Path(args.out or Path("runs") / "-".join(map(slug, words)))
    own = {setting: getattr(args, option) for option, setting in SETTINGS.items()}
    request = {"data.image": absolute(args.image), "data.targets": json.dumps(styles), **own}
    _claim(
        out,
        {**request, "masks": args.mask, "models": args.models, "settings": rest},
        args.overwrite,
    )
    found = args.mask or _masks(picture, list(styles), out, again=args.overwrite)
    masks = [absolute(mask) for mask in found]
    request["data.mask"] = json.dumps(masks)
    settings = [f"--{k}={v}" for k, v in request.items() if v is not None] + rest
    settings += ["--wandb.enabled=false"] if args.no_wandb else []
    scores = {}
    for method in configs:
        print(f"method   {method}", file=sys.stderr)
        composed = yaml.safe_dump(compose(method, args.models or EMBEDDED), sort_keys=False)
        fit([f"--config={composed}", *settings], out / method, again=args.overwrite)
        scores[method] = _scores(out / method, masks[0])
    save_png(_sheet(out, masks[0], scores), out / "compare.png")
    write_json(out / "compare.json", scores)
    print(out / "compare.png")
    return 0


def _parsed(instruction: str | None) -> dict[str, str]:
    """Object -> style as the parser understands the instruction."""
    if not instruction:
        raise AtelierError('There is no instruction; give one, or --target "boat=fire"')
    from datamodules.parsing.blend import in_words
    from datamodules.parsing.llm import LLMParser
    from datamodules.task import styles_by_object

    named = styles_by_object(LLMParser().parse(instruction))
    if not all(name and blend for name, blend in named.items()):
        raise AtelierError(
            f"{instruction!r} does not name both object and style; say both, or give "
            '--target "boat=fire"'
        )
    return {name: in_words(blend) for name, blend in named.items()}


def _check(configs: dict[str, Path], styles: dict[str, str]) -> None:
    """Every method can serve the targets: said now, not after the first has run."""
    from datamodules.parsing.blend import targets_of

    targets = [target for pair in styles.items() for target in targets_of(*pair)]
    for method in configs:
        method_class(method).check(targets)


def _claim(out: Path, request: dict, overwrite: bool) -> None:
    """Note in the folder what its runs are asked for; AtelierError if they were asked for other."""
    from datamodules.support.files import write_json

    request = json.loads(json.dumps(request))
    path = out / REQUEST
    if path.exists() and not overwrite and json.loads(path.read_text("utf-8")) != request:
        raise AtelierError(
            f"{out} already holds another comparison; choose another --out or add --overwrite"
        )
    write_json(path, request)


def _masks(picture: Image.Image, names: list[str], out: Path, again: bool) -> list[str]:
    """The files of one mask an object, found once for all methods and all goes at the folder."""
    from datamodules.images import save_png, to_picture, to_tensor
    from datamodules.segmentation.bridge import BridgeSegmenter
    from datamodules.support.files import slug
    from datamodules.task import objects

    segmenter, files = BridgeSegmenter(), []
    for name in objects(names):
        files.append(out / f"mask-{len(files) + 1}-{slug(name)}.png")
        if again or not files[-1].exists():
            save_png(to_picture(segmenter.segment(to_tensor(picture), name)), files[-1])
    return [str(file) for file in files]


def fit(settings: list[str], folder: Path, again: bool) -> None:
    """Run a configuration into the folder, unless it holds the finished run."""
    from experiments.run.lightning_cli import AtelierCLI

    if again or not RunFolder(folder).finished:
        started = time.perf_counter()
        target = [f"--run.out={folder}", "--run.overwrite=true"]
        AtelierCLI.from_arguments(settings + target, started).run()


def _scores(folder: Path, mask: str) -> dict[str, float | str]:
    """What is shown of one method's run, against the object's mask and not the method's own."""
    from datamodules.images import load_mask, load_picture, to_tensor
    from evaluation.metrics.change import mean_change
    from evaluation.tables.meanings import judgements

    result = RunFolder(folder).result
    content, output = (load_picture(str(folder / name)) for name in (CONTENT, OUTPUT))
    size = content.size
    batch = to_tensor(output)[None], to_tensor(content)[None], load_mask(mask, size)[None]
    changes = {name: float(value) for name, value in mean_change(*batch).items()}
    # Not by the encoder that was optimised, which thinks too well of its own work.
    before, after = (
        judgements(result.metrics, score) for score in ("style_global_before", "style_global")
    )
    told = (
        {
            "judge": judge,
            "style_before": before[judge],
            "style_after": after[judge],
        }
        if (judge := next(iter(after), ""))
        else {}
    )
    known = {name: value for name, value in changes.items() if not math.isnan(value)}
    return {**told, **known, "optimise_seconds": result.seconds["optimise"]}


def _sheet(out: Path, mask: str, scores: dict[str, dict]) -> Image.Image:
    from datamodules.images import load_mask, load_picture, to_picture
    from evaluation.contact_sheet import labelled_grid

    content = load_picture(str(out / next(iter(scores)) / CONTENT))
    cells = [(content, ["content"]), (to_picture(load_mask(mask, content.size)), ["mask"])]
    for method, s in scores.items():
        style = (
            f"style {s['style_before']:.3f} to {s['style_after']:.3f} ({s['judge']})"
            if "judge" in s
            else "no style in words"
        )
        changes = [
            f"{where} {s[key]:.3f}"
            for where, key in (("object", "object_change"), ("rest", "rest_change"))
            if key in s
        ]
        lines = [
            method,
            style,
            f"change: {', '.join(changes)}",
            f"{s['optimise_seconds']:.0f} s",
        ]
        cells.append((load_picture(str(out / method / OUTPUT)), lines))
    return labelled_grid(cells)
