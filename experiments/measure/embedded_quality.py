"""How good the embedded default is: figures and a sheet of pictures.

    python -m experiments.measure.embedded_quality         everything, about an hour on two cores
    python -m experiments.measure.embedded_quality sheet   only this; also: parsers, masks, cost,
                                                           styles

The sheet shows pictures of scikit-image in eight styles, painted by the embedded default; a second
one shows the first picture by StyleNet. Its runs are kept in runs/embedded-quality: what is done is
not done again.
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

from PIL import Image, ImageDraw, ImageFont

from datamodules.run_folder import CONTENT, OUTPUT, RunFolder
from datamodules.support.files import atomic
from experiments.campaigns import campaign
from experiments.campaigns.job import RUNS, Job
from experiments.campaigns.workers import SERIAL, Workers

ROOT = Path(__file__).parents[2]
SHEETS = ROOT / "docs" / "pictures"
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
GENERATORS = {  # settings of each; StyleNet's are what suits it at about the same time
    "painter": {},
    "stylenet": {
        "model.generator": "stylenet",
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
CELL, MARGIN = 176, 18  # pixels


def parsers() -> None:
    """Exact matches and seconds of the embedded parsers, on every set of instructions."""
    for name in ("instructions", "aside", "several"):
        words = ["evaluate-parsers", "--parsers", "smollm2,gemma3-270m,rules", "--set", name]
        _atelier(*words, "--markdown")


def masks() -> None:
    """IoU of the segmenter with masks made by hand, as far as their pictures are here."""
    for split in ("tune", "people", "aside"):
        subprocess.run([sys.executable, "-m", "experiments.measure.mask_quality", "--split", split])


def cost() -> None:
    """Seconds and memory of what people do first; the second time, when everything is cached."""
    print(f"{'command':10} {'seconds':>8} {'GB':>6}")
    out = ROOT / "runs" / "embedded-quality" / "demo"
    for name, words in COMMANDS.items():
        words = [*words, "--out", str(out)] if name == "stylize" else words
        _measured(words)
        seconds, memory = _measured(words)
        print(f"{name:10} {seconds:8.1f} {memory:6.2f}")
    stages = RunFolder(out).result.seconds
    print(", ".join(f"{stage} {value:.1f} s" for stage, value in stages.items()))
    before = sum(stages[stage] for stage in ("load", "parse", "mask"))
    print(f"{before:.1f} s to the first step")


def _measured(words: list[str]) -> tuple[float, float]:
    """Wall seconds and peak memory in GB of an atelier command; no less than this process's own."""
    start = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "experiments.cli", *words],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    _, status, used = os.wait4(process.pid, 0)
    if status:
        sys.exit(f"atelier {' '.join(words)} failed; run it to see why")
    return time.perf_counter() - start, used.ru_maxrss / 2**20


def _atelier(*words: str) -> None:
    subprocess.run([sys.executable, "-m", "experiments.cli", *words], check=True)


def sheet() -> None:
    """Paint every picture in every style with each generator; write the sheets, print scores."""
    root = ROOT / "runs" / "embedded-quality"
    for generator, settings in GENERATORS.items():
        pictures = PICTURES if generator == "painter" else dict(list(PICTURES.items())[:1])
        jobs = {
            (picture, style): _job(picture, thing, style, generator, settings)
            for picture, thing in pictures.items()
            for style in STYLES
        }
        campaign.run_all(list(jobs.values()), root, Workers(SERIAL), retry=True)
        _draw(jobs, root, SHEETS / f"sheet-{generator}.jpg")
        folders = {key: root / RUNS / job.id for key, job in jobs.items()}
        print(f"{generator:9} style_global by bridge-lite2: {_mean(folders)}")
        print(f"{generator:9} recognised by bridge-lite2: {_recognised(folders)}")


def _job(picture: str, thing: str, style: str, generator: str, settings: dict) -> Job:
    given = {"image": f"skimage:{picture}", "object": thing, "style": style, "run.keep_every": 0}
    labels = {"picture": picture, "style": style, "generator": generator}
    return campaign.make_job(given | settings, labels, "embedded-quality", False)


def _mean(folders: dict[tuple[str, str], Path]) -> str:
    """The judge's style adherence of the objects, before and after."""
    metrics = [RunFolder(folder).result.metrics for folder in folders.values()]
    before, after = (
        statistics.mean(values[f"{score}.bridge-lite2"] for values in metrics)
        for score in ("style_global_before", "style_global")
    )
    return f"{before:.3f} before, {after:.3f} after (n = {len(metrics)})"


def _recognised(folders: dict[tuple[str, str], Path]) -> str:
    """How often the object has moved more towards its own style's text than to the others'.

    The judge is not the encoder that was optimised; guessing would be right once in eight.
    """
    from evaluation.finished_pictures import load, read_run, together
    from evaluation.metrics.style import GlobalStyle
    from lightning_modules.encoders.bridge import BridgeEncoder

    judge, right = GlobalStyle(BridgeEncoder(tower="lite2", image_size=224)), 0
    for (_, wanted), folder in folders.items():
        pictures = together([load(read_run(folder))])
        region = pictures.regions[0][0]
        asked = [replace(region, styles=((1.0, text),)) for text in STYLES]
        moved = [judge.score(replace(pictures, regions=((one,),))) for one in asked]
        towards = [float(scores["style_direction"]) for scores in moved]
        right += STYLES[towards.index(max(towards))] == wanted
    return f"{right} of {len(folders)}"


def _draw(jobs: dict[tuple[str, str], Job], root: Path, path: Path) -> None:
    """A row a picture: the photo, then every style under its name."""
    rows = list(dict.fromkeys(picture for picture, _ in jobs))
    size = (CELL * (1 + len(STYLES)), MARGIN + CELL * len(rows))
    canvas, font = Image.new("RGB", size, "white"), ImageFont.load_default(12)
    draw = ImageDraw.Draw(canvas)
    for column, name in enumerate(("before", *STYLES)):
        draw.text((column * CELL + 4, 2), name[:27], fill="black", font=font)
    for row, picture in enumerate(rows):
        for column, style in enumerate((STYLES[0], *STYLES)):
            file = OUTPUT if column else CONTENT
            shown = root / RUNS / jobs[picture, style].id / file
            if shown.is_file():
                canvas.paste(_square(shown), (column * CELL, MARGIN + row * CELL))
    _save(canvas, path)


def _square(path: Path) -> Image.Image:
    """The middle of a picture, CELL pixels wide with a white rim."""
    with Image.open(path) as picture:
        side = min(picture.size)
        left, top = ((length - side) // 2 for length in picture.size)
        middle = picture.convert("RGB").crop((left, top, left + side, top + side))
    return middle.resize((CELL - 2, CELL - 2), Image.Resampling.LANCZOS)


def styles() -> None:
    """Draw what the painter knows: a picture in every style, as it is before any optimisation."""
    import torch

    from datamodules.images import load_picture, to_picture, to_tensor
    from lightning_modules.generators.painter import code_of
    from lightning_modules.generators.painter_styles import known_styles

    side, columns = 2 * CELL, 6
    photo = to_tensor(load_picture("skimage:chelsea").crop((0, 0, 300, 300)).resize((side, side)))
    known = known_styles()[0]
    size = (columns * CELL, -(-len(known) // columns) * (CELL + MARGIN))
    canvas, font = Image.new("RGB", size, "white"), ImageFont.load_default(12)
    draw = ImageDraw.Draw(canvas)
    for k, style in enumerate(known):
        network, code = code_of(style)
        with torch.no_grad():
            painted = to_picture(network(photo[None], code)[0])
        left, top = k % columns * CELL, k // columns * (CELL + MARGIN)
        canvas.paste(painted.resize((CELL - 2, CELL - 2), Image.Resampling.LANCZOS), (left, top))
        draw.text((left + 2, top + CELL), style.words[0][:28], fill="black", font=font)
    _save(canvas, SHEETS / "painter-styles.jpg")


def _save(canvas: Image.Image, path: Path) -> None:
    with atomic(path) as temporary:
        canvas.save(temporary, "JPEG", quality=88)
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
