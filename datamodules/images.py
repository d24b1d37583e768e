"""Reading, checking, converting and writing pictures and masks.

A picture has one of three forms: `PIL.Image.Image` (files), a float32 tensor (3, H, W) in [0, 1]
(methods and segmenters) or a uint8 array (H, W, 3) (OpenCV; datamodules/segmentation). `to_tensor`,
`to_picture` and `to_array` convert between them.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageFilter, ImageOps, UnidentifiedImageError
from torch import Tensor
from torch.nn import functional as F

from datamodules.support.errors import AtelierError
from datamodules.support.files import atomic

SMALLEST_SIDE = 32  # px; smaller pictures hold nothing that an encoder could recognise
LARGEST_AREA = 100_000_000  # px; a larger picture is treated as a decompression bomb
LUMA = (0.2989, 0.587, 0.114)  # shares of red, green and blue, as torchvision rounds ITU-R BT.601
PACKAGED = "skimage:"  # prefix of the names of pictures that scikit-image ships


def load_picture(source: str) -> Image.Image:
    """Load a picture as upright 8-bit RGB.

    Grey, palette, 16-bit, float (white = 1) and CMYK pictures are converted, transparent ones are
    composited onto white, and the EXIF rotation is applied.

    Args:
        source: path of a file, or "skimage:NAME" for a picture that scikit-image ships.

    Raises:
        AtelierError: the file is missing, damaged, no picture, or too small or large.
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
                f"limit of {LARGEST_AREA // 10**6} megapixels; scale it down first"
            )
        picture.load()
        return ImageOps.exif_transpose(picture)
    except FileNotFoundError as error:
        raise AtelierError(f"There is no picture at {source}; check the path") from error
    except Image.DecompressionBombError as error:
        raise AtelierError(f"{source} is too large; scale it down first") from error
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
            raise AtelierError(f"{source} has NaN or infinite pixels; export it again")
        picture = Image.fromarray((values * 255).round().clip(0, 255).astype(np.uint8))
    if picture.mode.startswith("I"):  # 16 bits: convert() would clip instead of scaling
        values = np.asarray(picture).astype(np.float64)
        picture = Image.fromarray((values * (255 / 65535)).round().clip(0, 255).astype(np.uint8))
    if picture.has_transparency_data:
        white = Image.new("RGBA", picture.size, "white")
        picture = Image.alpha_composite(white, picture.convert("RGBA"))
    return picture.convert("RGB")


def fit_within(picture: Image.Image, side: int) -> Image.Image:
    """Scale a picture down, keeping its aspect ratio, to a longer side of at most `side` px.

    Raises AtelierError if a side would become shorter than 32 px.
    """
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


def squash(picture: Image.Image, side: int) -> Image.Image:
    """Scale a picture to a square of `side` px, whatever its aspect ratio, by PIL's bicubic filter.

    The published codes of CLIPstyler, Sem-CS and Soulstyler do so.
    """
    if side < SMALLEST_SIDE:
        raise AtelierError(f"Size {side} is too small; give --size {SMALLEST_SIDE} or more")
    return picture.resize((side, side), Image.Resampling.BICUBIC)


def to_tensor(picture: Image.Image | np.ndarray) -> Tensor:
    """Convert an 8-bit picture to float32 (3, H, W) in [0, 1], or (H, W) if it is grey."""
    values = torch.from_numpy(np.array(picture)).float() / 255
    return values.permute(2, 0, 1).contiguous() if values.ndim == 3 else values


def to_picture(image: Tensor) -> Image.Image:
    """Convert a tensor (3, H, W) or (H, W), clamped to [0, 1], to an 8-bit picture."""
    values = (image.detach().cpu().clamp(0, 1) * 255).round().byte()
    return Image.fromarray((values.permute(1, 2, 0) if values.ndim == 3 else values).numpy())


def to_array(image: Tensor) -> np.ndarray:
    """Convert a tensor (3, H, W), clamped to [0, 1], to a uint8 array (H, W, 3)."""
    return np.asarray(to_picture(image))


def save_png(picture: Image.Image, path: Path) -> None:
    """Write a PNG atomically: the whole file or none."""
    with atomic(path) as temporary:
        picture.save(temporary, format="PNG")


def enhance(image: Tensor, stretch: bool = False) -> Tensor:
    """Raise the contrast by half, as in the figures of CLIPstyler (its published code).

    image: (3, H, W), clamped to [0, 1]; so is the result. stretch: afterwards, shift and scale the
    values so that they span [0, 1], as the published codes of CLIPstyler and Sem-CS do on saving.
    """
    image = image.clamp(0, 1)
    weights = image.new_tensor(LUMA)
    enhanced = torch.lerp((weights @ image.flatten(1)).mean(), image, 1.5).clamp(0, 1)
    if not stretch:
        return enhanced
    low, high = enhanced.aminmax()
    return (enhanced - low) / (high - low).clamp(min=1e-5)


def load_mask(source: str, size: tuple[int, int]) -> Tensor:
    """Load a mask as float32 (H, W) in [0, 1]; 1 = stylize.

    Args:
        source: path of a picture, white = stylize.
        size: width and height of the picture, in px. A mask of another size is scaled if its
            aspect ratio agrees within 2%.

    Raises:
        AtelierError: the file cannot be read, the aspect ratio differs, or no pixel reaches 0.5.
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


def resize_mask(mask: Tensor, size: Sequence[int]) -> Tensor:
    """Resize a mask (H, W) in [0, 1] to `size` (height, width), bilinear and antialiased."""
    if mask.shape == tuple(size):
        return mask
    scaled = F.interpolate(mask[None, None], tuple(size), mode="bilinear", antialias=True)
    return scaled[0, 0].clamp(0, 1)


def feather(mask: Tensor, radius: float) -> Tensor:
    """Blur the edge of a mask (H, W) in [0, 1] over about `radius` px; farther out it stays 0."""
    if radius <= 0:
        return mask
    return to_tensor(to_picture(mask).filter(ImageFilter.GaussianBlur(radius)))
