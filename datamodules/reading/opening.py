"""A picture's file, from its name to pixels: found, recognised, within limits, decoded, upright."""

from __future__ import annotations

import logging
import struct
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image, ImageOps, UnidentifiedImageError

from datamodules.reading import formats
from datamodules.reading.depth import ORIENTATION, is_tiff, read_numbers
from datamodules.support.errors import AtelierError

log = logging.getLogger(__name__)

LARGEST_AREA = 250_000_000  # px; a larger picture is treated as a decompression bomb
AMPLE_AREA = 24_000_000  # px; more detail helps neither a mask nor a picture of usual size
PACKAGED = "skimage:"  # prefix of the names of pictures that scikit-image ships
DAMAGE = (OSError, SyntaxError, ValueError, EOFError, LookupError, TypeError, struct.error)
ONE_PICTURE = ("MPO", "PSD")  # formats whose further frames belong to the first


def open_picture(
    source: str, at_least: int | None = None, largest: int = LARGEST_AREA
) -> Image.Image:
    """Decode the first picture of a file, upright, in whatever mode the file has.

    Args:
        source: path of a file, or "skimage:NAME" for a picture that scikit-image ships.
        at_least: see `ample`: larger JPEGs are decoded at a half, a quarter or an eighth of their
            size; None = at their own.
        largest: area in px up to which a picture is decoded.

    Raises:
        AtelierError: the file is missing, damaged, no picture, of a format that is not read, or
            too large.
    """
    with _refusals(source) as (path, header), _limit():
        return _decoded(path, source, header, at_least, largest)


def size_of(source: str) -> tuple[int, int]:
    """Width and height of a picture, upright, in px, without decoding it; errors as above."""
    with _refusals(source) as (path, header), _limit():
        picture = _recognised(path, source, header)
        sideways = picture.getexif().get(ORIENTATION, 1) > 4
        return picture.size[::-1] if sideways else picture.size


def text_of(source: str, key: str) -> str | None:
    """A text in the metadata of a PNG, before its pixels, None without; errors as above.

    Every byte is checked against the file's own sums, and none of the pixels are decoded.
    """
    with _refusals(source) as (path, header), _limit(), _recognised(path, source, header) as found:
        text = found.info.get(key) if found.format == "PNG" else None
        found.verify()
        return text if isinstance(text, str) else None


@contextmanager
def _refusals(source: str) -> Iterator[tuple[Path, bytes]]:
    """The path of a picture and its first bytes; errors in the block as sentences."""
    path = resolve(source)
    try:
        with path.open("rb") as stream:
            header = stream.read(formats.HEADER)
        formats.refuse_misread(path, source, header)
        yield path, header
    except FileNotFoundError as error:
        raise AtelierError(f"There is no picture at {source}; check the path") from error
    except (Image.DecompressionBombError, MemoryError) as error:
        raise AtelierError(f"{source} is too large; scale it down first") from error
    except UnidentifiedImageError as error:
        formats.refuse_foreign(path, source, header)
        raise AtelierError(
            f"{source} is not a picture; give a PNG, JPEG, WebP, TIFF, HEIC or AVIF file"
        ) from error
    except DAMAGE as error:
        raise AtelierError(
            f"{source} cannot be read ({error}); it may be damaged: export it again"
        ) from error


def ample(size: tuple[int, int], at_least: int | None) -> tuple[int, int]:
    """The size at which a picture of `size` px is worked on: 24 megapixels where it has more, but
    with a longer side of `at_least` px; None = its own.
    """
    if at_least is None:
        return size
    scale = max((AMPLE_AREA / (size[0] * size[1])) ** 0.5, at_least / max(size))
    return size if scale >= 1 else (round(size[0] * scale), round(size[1] * scale))


def resolve(source: str) -> Path:
    """The path of a picture's file; AtelierError for a name that scikit-image does not have."""
    if not source.startswith(PACKAGED):
        return Path(source)
    import skimage

    name, folder = source.removeprefix(PACKAGED), Path(skimage.__file__).parent / "data"
    shipped = {p.stem: p for p in sorted(folder.iterdir()) if p.suffix in {".png", ".jpg"}}
    if name not in shipped:
        raise AtelierError(
            f"scikit-image ships no picture named {name!r}; it ships {', '.join(shipped)}"
        )
    return shipped[name]


def _decoded(
    path: Path, source: str, header: bytes, at_least: int | None, largest: int
) -> Image.Image:
    picture = _recognised(path, source, header)
    if picture.width * picture.height > largest:
        raise AtelierError(
            f"{source} has {picture.width}x{picture.height} px, more than the "
            f"limit of {largest // 10**6} megapixels; scale it down first"
        )
    frames = getattr(picture, "n_frames", 1)
    if frames > 1 and picture.format not in ONE_PICTURE:
        log.warning("%s holds %d pictures; the first is used", source, frames)
    picture.draft(None, ample(picture.size, at_least))  # only JPEG does something
    picture.load()
    ImageOps.exif_transpose(picture, in_place=True)
    return picture


def _recognised(path: Path, source: str, header: bytes) -> Image.Image:
    """A picture whose pixels are not decoded yet."""
    if formats.is_heif(header):
        formats.register_heif()
    try:
        picture = Image.open(path)
    except UnidentifiedImageError:
        if not is_tiff(header):
            raise
        return read_numbers(path, source)
    formats.refuse_preview(picture, source)
    return picture


@contextmanager
def _limit() -> Iterator[None]:
    """Pillow's own limit, which is lower, set to ours."""
    before, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, LARGEST_AREA
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            yield
    finally:
        Image.MAX_IMAGE_PIXELS = before
