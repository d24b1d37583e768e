"""Pictures in and out: load, orient, validate, resize; write atomically."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageEnhance, ImageFilter, ImageOps, UnidentifiedImageError
from torch import Tensor
from torch.nn import functional as F

from datamodules.support.errors import AtelierError
from datamodules.support.files import atomic

SMALLEST_SIDE = 32  # px; below this the encoder sees nothing
LARGEST_AREA = 100_000_000  # px; beyond this a file is taken for a decompression bomb
PACKAGED = "skimage:"


def load_picture(source: str) -> Image.Image:
    """The picture as upright 8-bit RGB, whatever its file is like.

    source: a file's path, or "skimage:NAME" for a picture that scikit-image ships.
    Grey, palette, 16-bit, float (white = 1) and CMYK pictures are converted, transparency is laid
    on white, EXIF rotation is applied. Raises AtelierError for what is not a usable picture.
    """
    picture = _to_rgb(_open(_resolve(source), source), source)
    if min(picture.size) < SMALLEST_SIDE:
        raise AtelierError(
            f"{source} is {picture.width}x{picture.height} px: too small; give a picture of at "
            f"least {SMALLEST_SIDE}x{SMALLEST_SIDE}"
        )
    return picture


def _resolve(source: str) -> Path:
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


def _open(path: Path, source: str) -> Image.Image:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            picture = Image.open(path)
        if picture.width * picture.height > LARGEST_AREA:
            raise AtelierError(
                f"{source} has {picture.width}x{picture.height} px, more than the "
                f"{LARGEST_AREA // 10**6} megapixels that are read; scale it down first"
            )
        picture.load()
        return ImageOps.exif_transpose(picture)
    except FileNotFoundError as error:
        raise AtelierError(f"There is no picture at {source}; check the path") from error
    except Image.DecompressionBombError as error:
        raise AtelierError(f"{source} is too large to be read; scale it down first") from error
    except UnidentifiedImageError as error:
        raise AtelierError(f"{source} is not a picture; give a PNG, JPEG or WebP file") from error
    except (OSError, SyntaxError, ValueError) as error:
        raise AtelierError(
            f"{source} cannot be read ({error}); it may be damaged: export it again"
        ) from error


def _to_rgb(picture: Image.Image, source: str) -> Image.Image:
    if picture.mode == "F":  # 32-bit floats, white = 1
        values = np.asarray(picture)
        if not np.isfinite(values).all():
            raise AtelierError(f"{source} has pixels that are no numbers; export it again")
        picture = Image.fromarray((values * 255).round().clip(0, 255).astype(np.uint8))
    if picture.mode.startswith("I"):  # 16 bits, which convert() would clip instead of scale
        values = np.asarray(picture).astype(np.float64)
        picture = Image.fromarray((values * (255 / 65535)).round().clip(0, 255).astype(np.uint8))
    if picture.has_transparency_data:
        white = Image.new("RGBA", picture.size, "white")
        picture = Image.alpha_composite(white, picture.convert("RGBA"))
    return picture.convert("RGB")


def fit_within(picture: Image.Image, side: int) -> Image.Image:
    """The picture scaled down so that its longer side is at most `side` px, aspect ratio kept."""
    if side < SMALLEST_SIDE:
        raise AtelierError(f"Size {side} is too small; give --size {SMALLEST_SIDE} or more")
    scale = side / max(picture.size)
    if scale >= 1:
        return picture
    width, height = (max(1, round(length * scale)) for length in picture.size)
    if min(width, height) < SMALLEST_SIDE:
        raise AtelierError(
            f"The picture ({picture.width}x{picture.height} px) is too elongated for size {side}: "
            f"its short side would be {min(width, height)} px; raise --size or crop it"
        )
    return picture.resize((width, height), Image.Resampling.LANCZOS)


def to_tensor(picture: Image.Image) -> Tensor:
    """float32 (3, H, W) in [0, 1], or (H, W) for a grey picture."""
    values = torch.from_numpy(np.array(picture)).float() / 255
    return values.permute(2, 0, 1).contiguous() if values.ndim == 3 else values


def to_picture(image: Tensor) -> Image.Image:
    """8-bit picture of a tensor (3, H, W) or (H, W) in [0, 1]; values outside are clamped."""
    values = (image.detach().cpu().clamp(0, 1) * 255).round().byte()
    return Image.fromarray((values.permute(1, 2, 0) if values.ndim == 3 else values).numpy())


def save_png(picture: Image.Image, path: Path) -> None:
    """Write a PNG whole or not at all."""
    with atomic(path) as temporary:
        picture.save(temporary, format="PNG")


def enhance(picture: Image.Image, contrast: float = 1.5) -> Image.Image:
    """What CLIPstyler shows: the output with its contrast raised by half."""
    return ImageEnhance.Contrast(picture).enhance(contrast)


def load_mask(source: str, size: tuple[int, int]) -> Tensor:
    """A mask file as float32 (H, W) in [0, 1] at `size` (width, height); 1 = to be stylized.

    A mask of another size is scaled if its proportions agree within 2%.
    Raises AtelierError for other proportions and for a mask that marks nothing.
    """
    mask = _to_rgb(_open(_resolve(source), source), source).convert("L")
    if abs(mask.width * size[1] / (mask.height * size[0]) - 1) > 0.02:
        raise AtelierError(
            f"The mask {source} is {mask.width}x{mask.height} px, the picture has the proportions "
            f"{size[0]}x{size[1]}; give a mask drawn on this picture"
        )
    values = to_tensor(mask.resize(size, Image.Resampling.BILINEAR) if mask.size != size else mask)
    if float(values.max()) < 0.5:
        raise AtelierError(
            f"The mask {source} is empty: nothing would change; paint the object white on black"
        )
    return values


def resize(mask: Tensor, size: Sequence[int]) -> Tensor:
    """The mask (H, W) at another size (height, width), antialiased, in [0, 1]."""
    if mask.shape == tuple(size):
        return mask
    scaled = F.interpolate(mask[None, None], tuple(size), mode="bilinear", antialias=True)
    return scaled[0, 0].clamp(0, 1)


def feather(mask: Tensor, radius: float) -> Tensor:
    """The mask (H, W) with a soft edge about `radius` px wide, exactly 0 further out."""
    if radius <= 0:
        return mask
    return to_tensor(to_picture(mask).filter(ImageFilter.GaussianBlur(radius)))
