"""A run's picture in layers, as an OpenRaster file, which Krita and GIMP open.

The format: https://www.openraster.org, a ZIP file with a stack of PNG layers.
"""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

from PIL import Image

from datamodules.run_folder import CONTENT, MASK, OUTPUT, RunFolder
from datamodules.support.files import atomic

STACK = """<?xml version='1.0' encoding='UTF-8'?>
<image version="0.0.3" w="{0}" h="{1}"><stack>
<layer name="painted object" src="data/object.png" x="0" y="0"/>
<layer name="painted picture" src="data/painted.png" x="0" y="0" visibility="hidden"/>
<layer name="photo" src="data/photo.png" x="0" y="0"/>
</stack></image>
"""
THUMBNAIL = (256, 256)


def write_layers(run: RunFolder, file: Path) -> Path:
    """Write the painted object by its mask over the painted picture (hidden) and the photo."""
    photo, painted, mask = (Image.open(run.path / name).copy() for name in (CONTENT, OUTPUT, MASK))
    cut = painted.convert("RGB")
    cut.putalpha(mask.convert("L"))
    small = painted.copy()
    small.thumbnail(THUMBNAIL)
    pictures = {
        "data/object.png": cut,
        "data/painted.png": painted,
        "data/photo.png": photo,
        "mergedimage.png": painted,
        "Thumbnails/thumbnail.png": small,
    }
    with atomic(file) as part, zipfile.ZipFile(part, "w") as archive:
        archive.writestr("mimetype", "image/openraster")  # first and uncompressed
        archive.writestr("stack.xml", STACK.format(*photo.size))
        for name, picture in pictures.items():
            archive.writestr(name, _png(picture))
    return file


def _png(picture: Image.Image) -> bytes:
    data = io.BytesIO()
    picture.save(data, "PNG")
    return data.getvalue()
