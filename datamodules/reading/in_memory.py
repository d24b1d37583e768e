"""Pictures and masks in memory as files, so that a configuration can name them.

A file is named by its content: equal pictures share one, and a run can be made again from it.

| in memory | is |
|---|---|
| picture of Pillow | as a file of its mode, colour profile and EXIF rotation |
| array (H, W), (H, W, 3), (H, W, 4) of uint8 | grey, RGB or RGBA in sRGB |
| the same of floats in [0, 1] | the same, 1 = white or opaque |
| array (H, W) of bool | a mask, True = the object |
"""

from __future__ import annotations

import hashlib
import io
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image, ImageOps

from datamodules.support.errors import AtelierError
from datamodules.support.files import atomic

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Picture = str | os.PathLike[str] | Image.Image | NDArray[Any]

FOLDER = "inputs"  # of these files
PNG, TIFF = ("1", "L", "LA", "P", "RGB", "RGBA", "I;16"), ("CMYK", "F", "I", "LAB", "YCbCr")
FORMS = (
    "give a path, a picture of Pillow, or an array (H, W), (H, W, 3) or (H, W, 4) of uint8, or of "
    "floats in [0, 1]"
)


def file_of(picture: Picture, folder: Path, name: str = "picture") -> str:
    """The path of a picture's file, or its source such as "skimage:rocket".

    A picture in memory is written to `folder`/inputs/NAME-DIGEST.png unless it is there already.
    name: of the picture, in file names and sentences. Raises AtelierError for what is no picture.
    """
    if isinstance(picture, str | os.PathLike):
        return os.fspath(picture)
    if not isinstance(picture, Image.Image):
        picture = _of_array(picture, name)
    content, suffix = _encoded(picture)
    digest = hashlib.sha256(content).hexdigest()[:12]
    path = folder / FOLDER / f"{name}-{digest}{suffix}"
    if not path.exists():
        with atomic(path) as temporary:
            temporary.write_bytes(content)
    return str(path)


def _encoded(picture: Image.Image) -> tuple[bytes, str]:
    """The bytes of a file without loss, and the ending of its name."""
    picture = ImageOps.exif_transpose(picture)
    if picture.mode not in PNG + TIFF:
        picture = picture.convert("RGBA" if picture.has_transparency_data else "RGB")
    kind = "TIFF" if picture.mode in TIFF else "PNG"
    stream = io.BytesIO()
    picture.save(stream, kind, icc_profile=picture.info.get("icc_profile"))
    return stream.getvalue(), f".{kind.lower()}"


def _of_array(values: Any, name: str) -> Image.Image:
    """The picture of an array; AtelierError for other values."""
    if not isinstance(values, np.ndarray):
        raise AtelierError(f"The {name} is of the type {type(values).__name__}; {FORMS}")
    if values.size == 0 or values.ndim not in (2, 3) or values.shape[2:] not in ((), (3,), (4,)):
        raise AtelierError(f"The {name} has the shape {values.shape}; {FORMS}")
    if values.dtype.kind == "f":
        if not (np.isfinite(values).all() and values.min() >= 0 and values.max() <= 1):
            raise AtelierError(
                f"The {name} has values from {values.min():g} to {values.max():g}; {FORMS}"
            )
        values = (values.astype(np.float64) * 255).round().astype(np.uint8)
    elif values.dtype == bool and values.ndim == 2:
        values = values.astype(np.uint8) * 255
    elif values.dtype != np.uint8:
        raise AtelierError(f"The {name} has values of the type {values.dtype}; {FORMS}")
    return Image.fromarray(np.ascontiguousarray(values))
