"""Comparison of the fast preset with 200 steps of the papers' schedule.

    python -m experiments.measure.fewer_steps                all, about ten minutes on one core
    python -m experiments.measure.fewer_steps --pairs cat    only this pair

Five pictures of scikit-image, each with an object and a style, on the embedded models with the same
losses and weights. Draws the total loss by step (docs/pictures/fewer-steps.png) and the pictures
(fewer-steps.jpg), and prints the table of docs/performance.md: the losses of the finished pictures.
Runs go to runs/fewer-steps; finished ones are not repeated.
"""

from __future__ import annotations

import argparse
import math
import statistics
import time
from pathlib import Path

import torch
from PIL import Image, ImageDraw, ImageFont

from datamodules.images import load_picture, to_tensor
from datamodules.run_folder import CONTENT, OUTPUT, RunFolder
from datamodules.support.files import atomic
from evaluation.contact_sheet import labelled_grid
from experiments.campaigns.campaign import make_all
from experiments.campaigns.job import Job
from experiments.campaigns.plan import make_job
from experiments.campaigns.workers import SERIAL, Workers
from experiments.run.lightning_cli import AtelierCLI
from lightning_modules.stylization import Features, weighted_sum

ROOT = Path(__file__).parents[2]
PICTURES = ROOT / "docs" / "pictures"
PAIRS = {  # name: picture, object, style
    "cat": ("chelsea", "cat", "fire"),
    "cup": ("coffee", "coffee cup", "mosaic"),
    "astronaut": ("astronaut", "astronaut", "Starry Night by Vincent van Gogh"),
    "rocket": ("rocket", "rocket", "neon light"),
    "motorcycle": ("motorcycle_left", "motorcycle", "gold"),
}
PLAIN, FAST, STYLENET = "plain", "fast", "StyleNet"
RANDOM, IDENTITY = "fast, random start", "fast, identity start"
SCHEDULE = {"model.optimizer.lr": 5e-4, "model.lr_scheduler.every": 100, "steps": 200}
VARIANTS = {
    PLAIN: {"model.generator": "small_unet"} | SCHEDULE,
    STYLENET: {"model.generator": "stylenet"} | SCHEDULE,
    FAST: {"models": "fast"},
    RANDOM: {"models": "fast", "model.generator.start": "random"},
    IDENTITY: {"models": "fast", "model.generator.start": "identity"},
}
COLOURS = {
    PLAIN: "#3d73dd",
    FAST: "#d9701f",
    STYLENET: "#5f6770",
    RANDOM: "#8f4fb8",
    IDENTITY: "#239b76",
}
WINDOW = 15  # steps averaged in a point of the curves, because each step has other patches
DRAWS = 32  # draws of patches that judge a finished picture
CELL, GAP = 256, 24  # pixels


def jobs_of(
    pairs: list[str], seeds: list[int], size: int, variants: list[str]
) -> dict[tuple[str, str, int], Job]:
    """Jobs by pair, variant and seed."""
    return {
        (pair, variant, seed): make_job(
            _settings(pair, size) | VARIANTS[variant] | {"seed": seed},
            {"pair": pair, "variant": variant, "seed": seed},
            "fewer-steps",
            False,
        )
        for pair in pairs
        for variant in variants
        for seed in seeds
    }


def _settings(pair: str, size: int) -> dict[str, object]:
    picture, thing, style = PAIRS[pair]
    names = {"image": f"skimage:{picture}", "object": thing, "style": style}
    return names | {"size": size, "run.keep_every": 0}


def smoothed(folder: Path) -> list[float]:
    """Total loss of a run by step: mean of the last WINDOW steps, of fewer at the beginning."""
    totals = RunFolder(folder).losses["total"]
    return [statistics.mean(totals[max(0, k + 1 - WINDOW) : k + 1]) for k in range(len(totals))]


def loss_of(judge: Job, folder: Path) -> float:
    """Total loss of a run's picture by the method of another job, mean of DRAWS draws."""
    settings = {**judge.settings, **judge.logging}
    cli = AtelierCLI.from_settings(judge.config, settings, time.perf_counter())
    cli.datamodule.setup()
    method, batch, totals = cli.model, cli.datamodule.task.batch(), []
    output = to_tensor(load_picture(str(folder / OUTPUT))).unsqueeze(0)
    with torch.no_grad():
        method.prepare(batch)
        (maps,) = method.content_features.each([output])
        for _ in range(DRAWS):
            features = Features(method.viewer.embed(method.views(output, batch)), maps)
            losses = method.losses(output, features, batch)
            totals.append(float(weighted_sum(losses, method.weights)))
    return statistics.mean(totals)


def table(losses: dict[tuple[str, str, int], float]) -> str:
    """Losses of the finished pictures in Markdown: a row per pair and variant, a value per seed.

    The difference is that of the means, with its standard error if there are several seeds.
    """
    rows = [
        f"| pair | variant | {PLAIN}'s loss | its own | difference |",
        "|---|---|---:|---:|---:|",
    ]
    for pair, variant in dict.fromkeys(key[:2] for key in losses if key[1] != PLAIN):
        seeds = [seed for *name, seed in losses if name == [pair, variant]]
        plain, fast = ([losses[pair, v, seed] for seed in seeds] for v in (PLAIN, variant))
        values = [", ".join(f"{loss:.0f}" for loss in group) for group in (plain, fast)]
        difference = f"{sum(fast) / sum(plain) - 1:+.1%}"
        if len(seeds) > 1:
            errors = (statistics.stdev(group) / len(seeds) ** 0.5 for group in (plain, fast))
            difference += f" ± {math.hypot(*errors) / statistics.mean(plain):.1%}"
        cells = [f"{pair}: {PAIRS[pair][2]}", variant, *values, difference]
        rows.append(f"| {' | '.join(cells)} |")
    return "\n".join(rows)


def draw_curves(curves: dict[tuple[str, str, int], list[float]], path: Path) -> None:
    """Draw a panel per pair: a line per variant and seed, and the last level of the plain runs."""
    pairs = list(dict.fromkeys(pair for pair, *_ in curves))
    width, height = 2 * CELL + GAP, 2 * CELL
    columns = 3
    canvas = Image.new("RGB", (columns * width, -(-len(pairs) // columns) * height), "white")
    draw, font = ImageDraw.Draw(canvas), ImageFont.load_default(20)
    for number, pair in enumerate(pairs):
        lines = {key[1:]: curve for key, curve in curves.items() if key[0] == pair}
        left, top = number % columns * width, number // columns * height
        box = (left + 4 * GAP, top + 2 * GAP, left + width - GAP, top + height - 2 * GAP)
        draw.text((box[0], top + 8), f"{pair}: {PAIRS[pair][2]}", fill="black", font=font)
        _panel(draw, font, box, lines)
    with atomic(path) as temporary:
        canvas.save(temporary, "PNG", optimize=True)


def _panel(
    draw: ImageDraw.ImageDraw,
    font: ImageFont.ImageFont,
    box: tuple[int, int, int, int],
    lines: dict[tuple[str, int], list[float]],
) -> None:
    """Draw axes and lines of one pair. box: left, top, right, bottom in pixels."""
    left, top, right, bottom = box
    steps = max(map(len, lines.values()))
    high = 1000 * -(-max(map(max, lines.values())) // 1000)
    low = 1000 * (min(map(min, lines.values())) // 1000)

    def at(step: float, loss: float) -> tuple[float, float]:
        share = (loss - low) / (high - low)
        return left + (right - left) * step / steps, bottom - (bottom - top) * share

    for step in range(0, steps + 1, 40):
        x, _ = at(step, low)
        draw.line([(x, top), (x, bottom)], fill="#e4e4e4")
        draw.text((x, bottom + 4), str(step), fill="#555555", font=font, anchor="ma")
    for loss in (low, (low + high) / 2, high):
        _, y = at(0, loss)
        draw.line([(left, y), (right, y)], fill="#e4e4e4")
        draw.text((left - 6, y), f"{loss:.0f}", fill="#555555", font=font, anchor="rm")
    for (variant, _), curve in lines.items():
        points = [at(k + 1, loss) for k, loss in enumerate(curve)]
        draw.line(points, fill=COLOURS[variant], width=3)
        if variant == PLAIN:
            draw.line([at(0, curve[-1]), points[-1]], fill=COLOURS[variant])
    for row, variant in enumerate(dict.fromkeys(variant for variant, _ in lines)):
        name = f"{variant}, {max(len(c) for (v, _), c in lines.items() if v == variant)} steps"
        draw.text((right, top + 24 * row), name, fill=COLOURS[variant], font=font, anchor="ra")


def draw_pictures(jobs: dict[tuple[str, str, int], Job], root: Path, path: Path) -> None:
    """Draw a column per pair: the photo, then each variant's picture, by the first seed."""
    first = {key[:2]: job.folder(root) for key, job in reversed(jobs.items())}
    pairs = list(dict.fromkeys(pair for pair, *_ in jobs))
    variants = dict.fromkeys(variant for _, variant, _ in jobs)
    rows = {"photo": (PLAIN, CONTENT)} | {v: (v, OUTPUT) for v in variants}
    cells = []
    for name, (variant, file) in rows.items():
        for pair in pairs:
            picture = load_picture(str(first[pair, variant] / file))
            picture.thumbnail((CELL, CELL))
            cells.append((picture, [f"{pair}, {name}"]))
    sheet = labelled_grid(cells, len(pairs), gap=2, border=0, font_size=12)
    with atomic(path) as temporary:
        sheet.save(temporary, "JPEG", quality=90)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--pairs", nargs="+", choices=PAIRS, default=list(PAIRS), help="which (default: all)")
    add("--seeds", nargs="+", type=int, default=[0], help="of every run (default: 0)")
    add("--starts", action="store_true", help="the random and the identity start too")
    add("--stylenet", action="store_true", help="the papers' network too, in 200 steps")
    add("--size", type=int, default=256, help="longer side in pixels (default: %(default)s)")
    args = parser.parse_args()
    variants = [PLAIN, FAST, *([RANDOM, IDENTITY] if args.starts else [])]
    variants += [STYLENET] if args.stylenet else []
    root = ROOT / "runs" / "fewer-steps"
    jobs = jobs_of(args.pairs, args.seeds, args.size, variants)
    with Workers(SERIAL).at_work(root) as make:
        failed = make_all(list(jobs.values()), root, make, retry=True)["failed"]
    if failed:
        raise SystemExit("some runs failed; their folders say why")
    curves = {key: smoothed(job.folder(root)) for key, job in jobs.items()}
    draw_curves(curves, PICTURES / "fewer-steps.png")
    draw_pictures(jobs, root, PICTURES / "fewer-steps.jpg")
    judges = {(pair, seed): job for (pair, variant, seed), job in jobs.items() if variant == PLAIN}
    print(table({k: loss_of(judges[k[0], k[2]], job.folder(root)) for k, job in jobs.items()}))


if __name__ == "__main__":
    main()
