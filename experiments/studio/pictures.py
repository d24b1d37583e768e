"""Pictures that the server makes itself: examples, and masks of all or nothing."""

from __future__ import annotations

from pathlib import Path

from PIL import Image

from datamodules.reading.opening import PACKAGED, open_picture
from experiments.studio.sessions import Session


def example(name: str, session: Session) -> Path:
    """Write one of scikit-image's pictures into a session's folder."""
    file = session.new_file("photo", ".png")
    open_picture(PACKAGED + name).convert("RGB").save(file)
    return file


def whole(photo: Path, folder: Path) -> Path:
    """Write the mask of a whole photo."""
    return _even(photo, folder / "whole.png", 255)


def blank(photo: Path, folder: Path) -> Path:
    """Write the mask of nothing in a photo."""
    return _even(photo, folder / "blank.png", 0)


def _even(photo: Path, file: Path, value: int) -> Path:
    """Write a mask with one value everywhere."""
    with Image.open(photo) as picture:
        Image.new("L", picture.size, value).save(file)
    return file
