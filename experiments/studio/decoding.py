"""The process that decodes one upload: FILE TARGET; its answer is a line of JSON.

A picture from a stranger may be made to exploit its decoder or to fill the memory, so that this
process has little of everything.
"""

from __future__ import annotations

import json
import logging
import resource
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL import Image

MEMORY = 3 * 2**30  # bytes of address space
SECONDS = 20  # of the processor
LARGEST_FILE = 2**28  # bytes of the PNG
LARGEST_AREA = 120_000_000  # px
SIDE = 4096  # px, longer side of the PNG
SMALLEST_SIDE = 32  # px, as in datamodules.images, which imports torch
FORMATS = ("PNG", "JPEG", "MPO", "WEBP", "GIF", "BMP", "DIB", "TIFF", "HEIF", "AVIF", "PPM", "TGA")


def main(source: str, target: str) -> None:
    """Decode a picture; the answer has `warnings` and `recipe`, or a `refusal`."""
    limit(resource.RLIMIT_AS, MEMORY)
    limit(resource.RLIMIT_CPU, SECONDS)
    limit(resource.RLIMIT_FSIZE, LARGEST_FILE)
    limit(resource.RLIMIT_CORE, 0)
    from datamodules.support.errors import AtelierError

    messages = Messages()
    logging.getLogger("datamodules").addHandler(messages)
    try:
        recipe = decode(source, Path(target))
        answer = {"warnings": messages.lines, "recipe": recipe}
    except MemoryError:
        answer = {"refusal": "The picture takes too much memory to decode; scale it down first"}
    except AtelierError as error:
        answer = {"refusal": str(error)}
    # Nobody is told of folders on the server.
    print(json.dumps(answer).replace(json.dumps(source)[1:-1], "The file"))


def limit(kind: int, most: int) -> None:
    """Lower a limit of this process, as far as it is not lower already."""
    _, hard = resource.getrlimit(kind)
    most = most if hard == resource.RLIM_INFINITY else min(most, hard)
    resource.setrlimit(kind, (most, most))


class Messages(logging.Handler):
    """Warnings that are logged."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())


def decode(source: str, target: Path) -> str:
    """Write the PNG of a picture; its recipe. Raises AtelierError for what is refused."""
    from PIL import Image

    from datamodules.reading.colour import to_srgb
    from datamodules.reading.depth import to_8_bits
    from datamodules.reading.opening import open_picture
    from datamodules.recipes import KEY, LARGEST
    from datamodules.support.errors import AtelierError

    Image.init()
    Image.ID[:] = [name for name in Image.ID if name in FORMATS]
    picture = open_picture(source, SIDE, LARGEST_AREA)
    if min(picture.size) < SMALLEST_SIDE:
        width, height = picture.size
        raise AtelierError(
            f"{source} is {width}x{height} px: too small; give a picture of at least "
            f"{SMALLEST_SIDE}x{SMALLEST_SIDE}"
        )
    recipe = picture.info.get(KEY, "")
    picture = to_8_bits(picture, source)
    if max(picture.size) > SIDE:
        picture.thumbnail((SIDE, SIDE), Image.Resampling.LANCZOS, reducing_gap=3)
    write(to_srgb(picture, source), target)
    return recipe if isinstance(recipe, str) and len(recipe) <= LARGEST else ""


def write(picture: Image.Image, target: Path) -> None:
    """Write a picture, RGB or RGBA, without metadata: by OpenCV, in half of Pillow's time."""
    import cv2
    import numpy as np

    order = cv2.COLOR_RGB2BGR if picture.mode == "RGB" else cv2.COLOR_RGBA2BGRA
    quickly = [cv2.IMWRITE_PNG_COMPRESSION, 1, cv2.IMWRITE_PNG_FILTER, cv2.IMWRITE_PNG_FILTER_UP]
    quickly += [cv2.IMWRITE_PNG_STRATEGY, cv2.IMWRITE_PNG_STRATEGY_RLE]
    if not cv2.imwrite(str(target), cv2.cvtColor(np.asarray(picture), order), quickly):
        raise OSError(f"{target} cannot be written")


if __name__ == "__main__":
    main(*sys.argv[1:])
