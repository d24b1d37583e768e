"""Quality of the embedded default: figures and sheets of pictures.

    python -m experiments.measure.embedded_quality         everything, about an hour on two cores
    python -m experiments.measure.embedded_quality sheet   one part; also: parsers, masks, cost,
                                                           styles

The sheet shows pictures of scikit-image in eight styles, painted by the embedded default; a second
one shows the first picture by the small U-Net. Their runs lie in runs/embedded-quality, and
finished ones are not made again.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

from PIL import Image

from datamodules.run_folder import CONTENT, OUTPUT, RunFolder
from datamodules.support.files import atomic
from evaluation.contact_sheet import labelled_grid
from experiments.campaigns.campaign import make_all
from experiments.campaigns.job import Job
from experiments.campaigns.plan import make_job
from experiments.campaigns.workers import SERIAL, Workers

ROOT = Path(__file__).parents[2]
SHEETS = ROOT / "docs" / "pictures"
RUNS = ROOT / "runs" / "embedded-quality"
PICTURES = {
    "chelsea": "cat",
    "coffee": "coffee cup",
    "rocket": "rocket",
    "astronaut": "astronaut",
    "motorcycle_left": "motorcycle",
    "camera": "man",
}
STYLES = (
    "fire",
    "green crystal",
    "stone wall",
    "mosaic",
    "white wool",
    "neon light",
    "Starry Night by Vincent van Gogh",
    "a sketch with black pencil",
)
GENERATORS = {  # settings of each; the small U-Net's suit it at about the same time per run
    "painter": {},
    "small-unet": {
        "model.generator": "small_unet",
        "size": 384,
        "steps": 60,
        "model.lr_scheduler.every": 30,
    },
}
COMMANDS = {
    "help": ["--help"],
    "parse": ["parse", "Turn the white sailboat to the art on fire"],
    "stylize": ["stylize", "skimage:chelsea", "Turn the cat to fire", "--no-wandb", "--overwrite"],
}
JUDGE = "bridge-lite2"  # embedded, and not the encoder that was optimised
CELL = 174  # pixels
Runs = dict[tuple[str, str], Path]  # run folders by picture and style


def parsers() -> None:
    """Exact matches and seconds of the embedded parsers, on three sets of instructions."""
    from evaluation.parsers import measure_parsers
    from evaluation.tables.parsers import sheet
    from evaluation.tables.writers import markdown
    from experiments.run.parsers import ParserProgress, parsers_by_name

    for name in ("test", "aside", "several"):
        models = parsers_by_name("smollm2,gemma3-270m,rules")
        summary = measure_parsers(models, name, watch=ParserProgress()).summary()
        print(markdown.write(sheet(summary)))


def masks() -> None:
    """IoU of the segmenter with masks made by hand, as far as their pictures are installed."""
    from experiments.measure.mask_quality import SPLITS, cases, measure

    for split in SPLITS:
        if examples := list(cases(split)):
            measure(split, examples)


def cost() -> None:
    """Seconds and memory of the first commands of a user, at the second call of each."""
    print(f"{'command':10} {'seconds':>8} {'GB':>6}")
    out = RUNS / "demo"
    for name, words in COMMANDS.items():
        words = [*words, "--out", str(out)] if name == "stylize" else words
        _cost_of(words)
        seconds, memory = _cost_of(words)
        print(f"{name:10} {seconds:8.1f} {memory:6.2f}")
    stages = RunFolder(out).result.seconds
    print(", ".join(f"{stage} {value:.1f} s" for stage, value in stages.items()))
    before = sum(stages[stage] for stage in ("load", "parse", "mask"))
    print(f"{before:.1f} s to the first step")


def _cost_of(words: list[str]) -> tuple[float, float]:
    """Wall seconds and peak memory in GB of an atelier command.

    A process of its own, since the start of Python and the imports are a part of both.
    """
    start = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "experiments.cli", *words],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        sys.exit(f"atelier {' '.join(words)} failed; run it to see why")
    return time.perf_counter() - start, usage.ru_maxrss / 2**20


def sheet() -> None:
    """Paint every picture in every style with each generator; write the sheets, print scores."""
    for generator, settings in GENERATORS.items():
        pictures = PICTURES if generator == "painter" else dict(list(PICTURES.items())[:1])
        jobs = {
            (picture, style): _job(picture, thing, style, generator, settings)
            for picture, thing in pictures.items()
            for style in STYLES
        }
        with Workers(SERIAL).at_work(RUNS) as make:
            make_all(list(jobs.values()), RUNS, make, retry=True)
        runs = {key: job.folder(RUNS) for key, job in jobs.items()}
        _draw(runs, SHEETS / f"sheet-{generator}.jpg")
        print(f"{generator:9} style_global by {JUDGE}: {_adherence(runs)}")
        print(f"{generator:9} recognised by {JUDGE}: {_recognised(runs)}")


def _job(picture: str, thing: str, style: str, generator: str, settings: dict) -> Job:
    values = {"image": f"skimage:{picture}", "object": thing, "style": style, "run.keep_every": 0}
    labels = {"picture": picture, "style": style, "generator": generator}
    return make_job(values | settings, labels, "embedded-quality", False)


def _adherence(runs: Runs) -> str:
    """The judge's mean style adherence of the objects, before and after."""
    metrics = [RunFolder(folder).result.metrics for folder in runs.values()]
    before, after = (
        statistics.mean(values[f"{score}.{JUDGE}"] for values in metrics)
        for score in ("style_global_before", "style_global")
    )
    return f"{before:.3f} before, {after:.3f} after (n = {len(metrics)})"


def _recognised(runs: Runs) -> str:
    """The number of runs whose object moved more towards its own style's text than to the others'.

    Guessing would be right once in eight.
    """
    from evaluation.finished_pictures import load, read_run, together
    from evaluation.metrics.style import GlobalStyle
    from lightning_modules.encoders.bridge import BridgeEncoder

    judge, right = GlobalStyle(BridgeEncoder(tower="lite2", image_size=224)), 0
    for (_, style), folder in runs.items():
        pictures = together([load(read_run(folder))])
        region = pictures.regions[0][0]
        candidates = [replace(region, styles=((1.0, text),)) for text in STYLES]
        scores = [judge.score(replace(pictures, regions=((one,),))) for one in candidates]
        towards = [float(score["style_direction"]) for score in scores]
        right += STYLES[towards.index(max(towards))] == style
    return f"{right} of {len(runs)}"


def _draw(runs: Runs, path: Path) -> None:
    """One row per picture: the photo, then every style with its name."""
    cells = []
    for picture in dict.fromkeys(picture for picture, _ in runs):
        files = {"before": runs[picture, STYLES[0]] / CONTENT}
        files |= {style: runs[picture, style] / OUTPUT for style in STYLES}
        cells += [(_square(file), [name]) for name, file in files.items()]
    _save(labelled_grid(cells, columns=1 + len(STYLES)), path)


def _square(path: Path) -> Image.Image:
    """The middle of a picture, CELL pixels wide; white where the run has failed."""
    if not path.is_file():
        return Image.new("RGB", (CELL, CELL), "white")
    with Image.open(path) as picture:
        side = min(picture.size)
        left, top = ((length - side) // 2 for length in picture.size)
        middle = picture.convert("RGB").crop((left, top, left + side, top + side))
    return middle.resize((CELL, CELL), Image.Resampling.LANCZOS)


def styles() -> None:
    """Draw the painter's own styles: a picture in each, before any optimisation."""
    import torch

    from datamodules.images import load_picture, to_picture, to_tensor
    from lightning_modules.generators.painter import code_of
    from lightning_modules.generators.painter_styles import catalogue

    side, cells = 2 * CELL, []
    photo = to_tensor(load_picture("skimage:chelsea").crop((0, 0, 300, 300)).resize((side, side)))
    for style in catalogue()[0]:
        network, code = code_of(style)
        with torch.no_grad():
            painting = to_picture(network(photo[None], code)[0])
        cells.append((painting.resize((CELL, CELL), Image.Resampling.LANCZOS), [style.words[0]]))
    _save(labelled_grid(cells, columns=6), SHEETS / "painter-styles.jpg")


def _save(picture: Image.Image, path: Path) -> None:
    with atomic(path) as temporary:
        picture.save(temporary, "JPEG", quality=88)
    print(path)


PARTS = {"parsers": parsers, "masks": masks, "cost": cost, "styles": styles, "sheet": sheet}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"{', '.join(PARTS)}; or all")
    parts = parser.parse_args().parts or PARTS
    if unknown := set(parts) - set(PARTS):
        parser.error(f"there is no part {', '.join(unknown)}; there are {', '.join(PARTS)}")
    for part in parts:
        PARTS[part]()


if __name__ == "__main__":
    main()
