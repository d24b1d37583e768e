"""Pictures of runs as small files: a thumbnail for the card, and the pictures of the slider.

Every file is named after the hash of its pixels, so that a photo or mask of many runs is stored
once. Pictures are encoded again: nothing but pixels leaves the run folder.
"""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from datamodules.images import fit_within, load_picture
from datamodules.run_folder import CONTENT, MASK, OUTPUT
from datamodules.support.files import atomic

FOLDER = "pictures"
THUMBNAIL = 320  # px of a card's longer side
LARGEST = 1024  # px of the longer side in the slider
QUALITY = {True: 74, False: 84}  # of WebP, by whether it is a thumbnail


@dataclass(frozen=True)
class Shots:
    """Paths within the report, and the size of the output and of its thumbnail in px."""

    thumbnail: str
    thumbnail_size: tuple[int, int]
    content: str
    output: str
    mask: str
    size: tuple[int, int]

    def as_json(self) -> dict[str, Any]:
        """Values for the page's script."""
        return asdict(self) | {"thumbnail_size": [*self.thumbnail_size], "size": [*self.size]}


def make_shots(run: Path, report: Path) -> Shots:
    """Write the pictures of a run folder to a report; AtelierError for a damaged one.

    A run of another system may have no mask.
    """
    content, output = (load_picture(str(run / name)) for name in (CONTENT, OUTPUT))
    small = _within(output, THUMBNAIL)
    large = _within(output, LARGEST)
    mask = run / MASK
    return Shots(
        thumbnail=_store(small, report, thumbnail=True),
        thumbnail_size=small.size,
        content=_store(_within(content, LARGEST), report),
        output=_store(large, report),
        mask=_store(_within(load_picture(str(mask)), LARGEST), report) if mask.exists() else "",
        size=large.size,
    )


def _within(picture: Image.Image, side: int) -> Image.Image:
    # Very long pictures would become too thin for `fit_within`; they keep their size.
    long, narrow = max(picture.size), min(picture.size)
    return picture if narrow * side / long < 32 else fit_within(picture, side)


def _store(picture: Image.Image, report: Path, thumbnail: bool = False) -> str:
    """Store a picture in the report; its path there."""
    content = repr((picture.size, QUALITY[thumbnail])).encode() + picture.tobytes()
    name = f"{FOLDER}/{hashlib.sha256(content).hexdigest()[:20]}.webp"
    if not (report / name).exists():
        # Several threads may store the same photo: each writes a file of its own, the last stays.
        bare = Image.frombytes(picture.mode, picture.size, picture.tobytes())
        with atomic(report / name) as temporary:
            bare.save(temporary, format="WEBP", quality=QUALITY[thumbnail], method=4)
    return name
