"""Make the pictures of README and docs/methods.md again, by the commands that stand above them.

python -m experiments.make.docs_pictures              all, about ten minutes on two cores
python -m experiments.make.docs_pictures cat-fire     only these
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image

from datamodules.run_folder import CONTENT, OUTPUT
from datamodules.support.files import atomic

PICTURES = Path(__file__).parents[2] / "docs" / "pictures"
WIDTH, GAP = 384, 8  # pixels
CAT, ROCKET = "skimage:chelsea", "skimage:rocket"
COMMANDS = {
    "cat-fire": [CAT, "Turn the cat to fire"],
    "cat-starry-night": [CAT, "Turn the cat to Starry Night by Vincent van Gogh"],
    "rocket-fire": [ROCKET, "Turn the rocket to fire"],
    "background-starry-night": [
        *["skimage:astronaut", "Turn the background to Starry Night by Vincent van Gogh"]
    ],
    "methods/style-image": [
        *["skimage:coffee", "--object", "coffee cup"],
        *["--style-image", "skimage:brick", "--model.weights.gram", "50"],
    ],
    "methods/keep-color": [CAT, "--object", "cat", "--style", "stone wall", "--keep-color"],
    "methods/clipstyler": ["skimage:coffee", "--method", "clipstyler", "--style", "stained glass"],
    "methods/fusion": [
        *[ROCKET, "Turn the rocket to fire and the background to green crystal"],
        *["--method", "fusion"],
    ],
    "methods/gatys": [CAT, "--method", "gatys", "--style-image", "skimage:brick"],
    "methods/generative_artisan": [
        *["skimage:astronaut", "--method", "generative_artisan"],
        *["--style", "a watercolor painting", "--composite"],
    ],
    "methods/sem_cs": [
        *[CAT, "--method", "sem_cs", "--style", "fire"],
        *["--background-style", "a frozen lake"],
    ],
    "methods/soulstyler": [CAT, "Turn the cat to 0.5*fire + 0.5*ice", "--method", "soulstyler"],
}


def make(name: str) -> None:
    """Run the command and put content and output side by side."""
    with tempfile.TemporaryDirectory() as folder:
        words = ["stylize", *COMMANDS[name], "--out", folder, "--no-wandb"]
        done = subprocess.run(
            [sys.executable, "-m", "experiments.cli", *words], stdout=subprocess.DEVNULL
        )
        if done.returncode:
            sys.exit(f"{name}: atelier {' '.join(words)} failed")
        pair = [Image.open(Path(folder) / name) for name in (CONTENT, OUTPUT)]
        height = round(WIDTH * pair[0].height / pair[0].width)
        canvas = Image.new("RGB", (2 * WIDTH + GAP, height), "white")
        for k, picture in enumerate(pair):
            fitted = picture.resize((WIDTH, height), Image.Resampling.LANCZOS)
            canvas.paste(fitted, (k * (WIDTH + GAP), 0))
    with atomic(PICTURES / f"{name}.jpg") as temporary:
        canvas.save(temporary, "JPEG", quality=90)
    print(PICTURES / f"{name}.jpg")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(COMMANDS))
    names = parser.parse_args().names or list(COMMANDS)
    if unknown := set(names) - set(COMMANDS):
        parser.error(f"there is no picture {', '.join(unknown)}; there are {', '.join(COMMANDS)}")
    for name in names:
        make(name)


if __name__ == "__main__":
    main()
