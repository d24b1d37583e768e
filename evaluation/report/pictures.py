"""Pictures of runs as small files: a thumbnail for the card, and what the slider shows.

Every file is named by what it shows, so that the photo and the mask of many runs are kept once.
They are encoded anew: nothing but pixels leaves the run folder.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from datamodules.images import fit_within, load_picture
from datamodules.run_folder import CONTENT, MASK, OUTPUT

FOLDER = "pictures"
THUMBNAIL = 320  # px of a card's longer side
LARGEST = 1024  # px of what the slider shows
QUALITY = {True: 74, False: 84}  # of WebP; thumbnails are judged less closely


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
        """For the page's script."""
        return asdict(self) | {"thumbnail_size": [*self.thumbnail_size], "size": [*self.size]}


def make_shots(run: Path, report: Path) -> Shots:
    """The pictures of a run folder, written below a report's; AtelierError for one that is broken.

    A run of any other system may have no mask.
    """
    content, output = (load_picture(str(run / name)) for name in (CONTENT, OUTPUT))
    small = _within(output, THUMBNAIL)
    shown = _within(output, LARGEST)
    mask = run / MASK
    return Shots(
        thumbnail=_keep(small, report, thumbnail=True),
        thumbnail_size=small.size,
        content=_keep(_within(content, LARGEST), report),
        output=_keep(shown, report),
        mask=_keep(_within(load_picture(str(mask)), LARGEST), report) if mask.exists() else "",
        size=shown.size,
    )


def _within(picture: Image.Image, side: int) -> Image.Image:
    # Very long pictures would become too thin for `fit_within`; they are shown as they are.
    long, narrow = max(picture.size), min(picture.size)
    return picture if narrow * side / long < 32 else fit_within(picture, side)


def _keep(picture: Image.Image, report: Path, thumbnail: bool = False) -> str:
    """The path of a picture within the report, which then has it."""
    kept = repr((picture.size, QUALITY[thumbnail])).encode() + picture.tobytes()
    name = f"{FOLDER}/{hashlib.sha256(kept).hexdigest()[:20]}.webp"
    if not (report / name).exists():
        # Threads may come with the same photo at once: each writes its own, the last one stays.
        handle, own = tempfile.mkstemp(dir=report / FOLDER)
        os.close(handle)
        bare = Image.frombytes(picture.mode, picture.size, picture.tobytes())
        bare.save(own, format="WEBP", quality=QUALITY[thumbnail], method=4)
        Path(own).chmod(0o644)
        Path(own).replace(report / name)
    return name
