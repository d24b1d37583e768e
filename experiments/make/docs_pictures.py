"""Make the pictures of README and docs/methods.md, by the settings of the commands above them.

python -m experiments.make.docs_pictures              all, about ten minutes on two cores
python -m experiments.make.docs_pictures cat-fire     only these
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import Any

from PIL import Image

from datamodules.run_folder import CONTENT, OUTPUT
from datamodules.support.files import atomic
from evaluation.contact_sheet import labelled_grid
from experiments.campaigns.plan import setting
from experiments.run.configuration import compose
from experiments.run.stylize import stylize

PICTURES = Path(__file__).parents[2] / "docs" / "pictures"
WIDTH, GAP = 384, 8  # pixels
CAT, ROCKET, MAN, CUP = (f"skimage:{name}" for name in ("chelsea", "rocket", "astronaut", "coffee"))
STARRY_NIGHT = "Starry Night by Vincent van Gogh"
RUNS: dict[str, dict[str, Any]] = {  # "method", and settings by their short or dotted names
    "cat-fire": {"image": CAT, "instruction": "Turn the cat to fire"},
    "cat-starry-night": {"image": CAT, "instruction": f"Turn the cat to {STARRY_NIGHT}"},
    "rocket-fire": {"image": ROCKET, "instruction": "Turn the rocket to fire"},
    "background-starry-night": {
        "image": MAN,
        "instruction": f"Turn the background to {STARRY_NIGHT}",
    },
    "methods/style-image": {
        "image": CUP,
        "object": "coffee cup",
        "style_image": "skimage:brick",
        "model.weights.gram": 50,
    },
    "methods/keep-color": {
        "image": CAT,
        "object": "cat",
        "style": "stone wall",
        "keep_color": True,
    },
    "methods/attention": {
        "method": "attention",
        "image": CAT,
        "instruction": "Turn the cat to 0.5*Starry Night + 0.5*gold",
    },
    "methods/clipstyler": {"method": "clipstyler", "image": CUP, "style": "stained glass"},
    "methods/fusion": {
        "method": "fusion",
        "image": ROCKET,
        "instruction": "Turn the rocket to fire and the background to green crystal",
    },
    "methods/gatys": {"method": "gatys", "image": CAT, "style_image": "skimage:brick"},
    "methods/generative_artisan": {
        "method": "generative_artisan",
        "image": MAN,
        "style": "a watercolor painting",
        "composite": True,
    },
    "methods/sem_cs": {
        "method": "sem_cs",
        "image": CAT,
        "style": "fire",
        "background_style": "a frozen lake",
    },
    "methods/soulstyler": {"image": CAT, "instruction": "Turn the cat to 0.5*fire + 0.5*ice"},
}


def make(name: str) -> None:
    """Stylize the picture, and put content and output side by side."""
    values = dict(RUNS[name])
    config = compose(values.pop("method", "soulstyler"))
    with tempfile.TemporaryDirectory() as folder:
        place = {"run.out": folder, "run.overwrite": True, "wandb.enabled": False}
        stylize(config, dict(setting(*pair) for pair in values.items()) | place)
        pair = [Image.open(Path(folder) / part) for part in (CONTENT, OUTPUT)]
        size = (WIDTH, round(WIDTH * pair[0].height / pair[0].width))
        cells = [(picture.resize(size, Image.Resampling.LANCZOS), ()) for picture in pair]
    with atomic(PICTURES / f"{name}.jpg") as temporary:
        labelled_grid(cells, columns=2, gap=GAP, border=0).save(temporary, "JPEG", quality=90)
    print(PICTURES / f"{name}.jpg")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(RUNS))
    names = parser.parse_args().names or list(RUNS)
    if unknown := set(names) - set(RUNS):
        parser.error(f"there is no picture {', '.join(unknown)}; there are {', '.join(RUNS)}")
    for name in names:
        make(name)


if __name__ == "__main__":
    main()
