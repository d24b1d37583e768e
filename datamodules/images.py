"""Loading, converting and writing pictures.

A picture has one of three forms: `PIL.Image.Image` (files), a float32 tensor (3, H, W) in [0, 1]
(methods and segmenters) or a uint8 array (H, W, 3) (OpenCV; datamodules/segmentation). `to_tensor`,
`to_picture` and `to_array` convert between them.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageFilter
from PIL.PngImagePlugin import PngInfo
from torch import Tensor
from torch.nn import functional as F

from datamodules.reading.colour import direct, to_srgb
from datamodules.reading.depth import to_8_bits
from datamodules.reading.opening import ample, open_picture
from datamodules.recipes import KEY
from datamodules.support.errors import AtelierError
from datamodules.support.files import atomic

SMALLEST_SIDE = 32  # px; smaller pictures hold nothing that an encoder could recognise
LUMA = (0.2989, 0.587, 0.114)  # shares of red, green and blue, as torchvision rounds ITU-R BT.601


def load_picture(source: str) -> Image.Image:
    """Load a picture as upright 8-bit sRGB, transparent ones composited onto white.

    Arguments and errors are those of `load_photo`; the picture has its own size.
    """
    return on_white(load_photo(source, at_least=None))


def load_photo(source: str, at_least: int | None = 0) -> Image.Image:
    """Load a picture as upright 8-bit sRGB: mode RGB, or RGBA if it is transparent somewhere.

    Grey, palette, 16-bit, float (white = 1) and CMYK pictures are converted, by their colour
    profile where they have one, and the EXIF rotation is applied.

    Args:
        source: path of a file, or "skimage:NAME" for a picture that scikit-image ships.
        at_least: a picture of more than 24 megapixels is scaled down to so many, but to a longer
            side of no less than `at_least` px; None = not.

    Raises:
        AtelierError: the file is missing, damaged, no picture, or too small or large.
    """
    picture = to_8_bits(open_picture(source, at_least), source)
    if min(picture.size) < SMALLEST_SIDE:
        raise AtelierError(
            f"{source} is {picture.width}x{picture.height} px: too small; give a picture of at "
            f"least {SMALLEST_SIDE}x{SMALLEST_SIDE}"
        )
    size = ample(picture.size, at_least)
    if size != picture.size:
        picture = direct(picture).resize(size, Image.Resampling.LANCZOS, reducing_gap=3)
    return to_srgb(picture, source)


def on_white(picture: Image.Image) -> Image.Image:
    """A picture in RGB or RGBA as RGB, composited onto white."""
    if picture.mode == "RGB":
        return picture
    white = Image.new("RGBA", picture.size, "white")
    return Image.alpha_composite(white, picture).convert("RGB")


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
    """Convert an 8-bit picture to float32 (3, H, W) in [0, 1], (4, H, W) with alpha, or (H, W) if
    it is grey.
    """
    values = torch.from_numpy(np.array(picture))
    values = values.permute(2, 0, 1).contiguous() if values.ndim == 3 else values
    return values.float().div_(255)  # in place: a large photo is in memory once


def to_picture(image: Tensor) -> Image.Image:
    """Convert a tensor (3 or 4, H, W) or (H, W), clamped to [0, 1], to an 8-bit picture."""
    values = (image.detach().cpu().clamp(0, 1) * 255).round().byte()
    return Image.fromarray((values.permute(1, 2, 0) if values.ndim == 3 else values).numpy())


def to_array(image: Tensor) -> np.ndarray:
    """Convert a tensor (3, H, W), clamped to [0, 1], to a uint8 array (H, W, 3)."""
    return np.asarray(to_picture(image))


def split_alpha(image: Tensor) -> tuple[Tensor, Tensor | None]:
    """A picture (3 or 4, H, W) in [0, 1] laid on white (3, H, W), and its alpha (H, W) or None."""
    if len(image) == 3:
        return image, None
    colours, alpha = image[:3], image[3]
    return colours * alpha + (1 - alpha), alpha


def with_alpha(image: Tensor, alpha: Tensor | None) -> Tensor:
    """The picture (4, H, W) in [0, 1] that has this alpha (H, W) and looks on white like `image`
    (3, H, W) as far as the alpha allows; without an alpha the image itself.
    """
    if alpha is None:
        return image
    colours = torch.where(alpha > 0, (image - (1 - alpha)) / alpha.clamp(min=1 / 255), image)
    return torch.cat([colours.clamp(0, 1), alpha[None]])


def save_png(picture: Image.Image, path: Path, recipe: str = "") -> None:
    """Write a PNG that says its colours are sRGB: the whole file or none.

    Compressed a tenth less than by PIL's default, in a third of the time. recipe: a text for its
    metadata, see datamodules/recipes.py.
    """
    chunks = PngInfo()
    chunks.add(b"sRGB", b"\0")  # rendering intent: perceptual
    if recipe:
        chunks.add_itxt(KEY, recipe)
    with atomic(path) as temporary:
        picture.save(temporary, format="PNG", pnginfo=chunks, compress_level=1)


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
