"""Photos for training: the picture files in and below folders, and those that packages ship."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from datamodules.benchmarks.pictures import is_picture_file
from datamodules.images import load_picture
from datamodules.support.errors import AtelierError

PACKAGES = "packages"  # name of the photos that installed packages ship
SHIPPED = {  # photos by package and folder; their other pictures are drawings, text and microscopy
    ("skimage", "data"): (
        *("astronaut.png", "brick.png", "camera.png", "chelsea.png", "clock_motion.png"),
        *("coffee.png", "coins.png", "grass.png", "gravel.png", "hubble_deep_field.jpg"),
        *("moon.png", "motorcycle_left.png", "motorcycle_right.png", "retina.jpg", "rocket.jpg"),
    ),
    ("sklearn", "datasets/images"): ("china.jpg", "flower.jpg"),
}


def picture_files(places: Sequence[str]) -> list[Path]:
    """Files of all places in a fixed order: of each folder, sorted by their paths below it.

    places: folders, searched with all folders in them and links to folders; picture files; or
        "packages", the photos that installed packages ship.
    Raises AtelierError for a place that is missing or has no picture that can be read.
    """
    if not places:
        raise AtelierError("There are no photos; give --folder DIR, or --folder packages")
    return list(dict.fromkeys(file for place in places for file in _usable(place)))


def _usable(place: str) -> list[Path]:
    """Files of one place, of which at least one can be read."""
    files = _shipped() if place == PACKAGES else _below(Path(place))
    reasons = []
    for file in files:
        try:
            load_picture(str(file))
            return files
        except AtelierError as error:
            reasons.append(error)
    because = f" that can be read: {reasons[0]}" if reasons else ""
    raise AtelierError(f"{place} has no picture{because or '; give a folder that holds photos'}")


def _shipped() -> list[Path]:
    roots = {package: importlib.util.find_spec(package) for package, _ in SHIPPED}
    files = [
        Path(spec.origin).parent / folder / name
        for (package, folder), names in SHIPPED.items()
        if (spec := roots[package]) and spec.origin
        for name in names
    ]
    return [file for file in files if file.is_file()]


def _below(place: Path) -> list[Path]:
    if place.is_file():
        return [place]
    if not place.is_dir():
        raise AtelierError(f"There is no folder {place}; give one that holds photos")
    return sorted(_walk(place))


def _walk(folder: Path) -> Iterator[Path]:
    """Picture files in and below a folder; a folder that several links reach counts once."""
    visits = set()
    for inner, folders, names in os.walk(folder, followlinks=True):
        real = os.path.realpath(inner)
        if real in visits:
            folders.clear()
            continue
        visits.add(real)
        yield from filter(is_picture_file, (Path(inner, name) for name in names))
