"""Colours as the file means them, converted to sRGB, in which everything here works.

A profile in the file (ICC) says what its numbers mean. The conversion is relative colorimetric:
colours that sRGB has come out as they are, beside paper white, and others become its nearest ones.
"""

from __future__ import annotations

import io
import logging
from itertools import product

import numpy as np
from PIL import Image, ImageChops, ImageCms

log = logging.getLogger(__name__)

NEGLIGIBLE = 2  # of 255; profiles of sRGB by different makers differ by so much
GRID = range(0, 256, 15)  # values of each channel for the comparison of two profiles
# Mode of Pillow for the colours of a profile, as ICC calls them.
MODES = {"RGB": "RGB", "GRAY": "L", "CMYK": "CMYK", "Lab": "LAB"}


def to_srgb(picture: Image.Image, source: str) -> Image.Image:
    """A picture of 8 bits in sRGB: mode RGB, or RGBA if it is transparent somewhere.

    A profile that cannot be used is named in a warning; then the numbers are taken as sRGB.
    """
    alpha = transparency(picture)
    colours = _converted(_opaque(picture), picture.info.get("icc_profile"), source)
    colours.info = {}
    if alpha is not None:
        colours.putalpha(alpha)
    return colours


def direct(picture: Image.Image) -> Image.Image:
    """A picture whose pixels are values that can be averaged, not places in a palette."""
    if picture.mode not in ("P", "PA", "1"):
        return picture
    return picture.convert("RGBA" if picture.has_transparency_data else "RGB")


def transparency(picture: Image.Image) -> Image.Image | None:
    """The alpha channel (mode L, 255 = opaque); None for a picture that is opaque everywhere."""
    if not picture.has_transparency_data:
        return None
    alpha = picture.convert("RGBA").getchannel("A")
    return alpha if alpha.getextrema()[0] < 255 else None


def _opaque(picture: Image.Image) -> Image.Image:
    """The colours alone, in a mode that profiles are made for."""
    if picture.mode in ("CMYK", "LAB"):
        return picture
    return picture.convert("L" if picture.mode in ("1", "L", "LA") else "RGB")


def _converted(colours: Image.Image, profile: bytes | None, source: str) -> Image.Image:
    """Colours in sRGB, mode RGB."""
    if colours.mode == "LAB":
        return _through(ImageCms.createProfile("LAB"), colours)
    if profile:
        try:
            return _by_profile(colours, ImageCms.ImageCmsProfile(io.BytesIO(profile)))
        except (ImageCms.PyCMSError, OSError, ValueError) as error:
            log.warning(
                "The colour profile of %s cannot be used (%s): its colours are taken as sRGB",
                *(source, error),
            )
    return colours.convert("RGB")


def _by_profile(colours: Image.Image, profile: ImageCms.ImageCmsProfile) -> Image.Image:
    """Colours by the profile of their file; ValueError for a profile of other colours."""
    space = profile.profile.xcolor_space.strip()
    if MODES.get(space) == "RGB" and colours.mode == "L":  # grey is a colour as well
        colours = colours.convert("RGB")
    if MODES.get(space) != colours.mode:
        raise ValueError(f"it is one for {space} and the picture is {colours.mode}")
    if colours.mode != "CMYK":
        probe = _probe(colours.mode)
        change = ImageChops.difference(_through(profile, probe), probe.convert("RGB"))
        if max(high for _, high in change.getextrema()) <= NEGLIGIBLE:
            return colours.convert("RGB")  # sRGB already: every value stays as it is
    return _through(profile, colours)


def _probe(mode: str) -> Image.Image:
    """A small picture with values from the whole range of a mode, L or RGB."""
    values = np.array(list(product(GRID, repeat=len(mode))), np.uint8)
    return Image.fromarray(values if mode == "L" else values[None])


def _through(profile: ImageCms.ImageCmsProfile, colours: Image.Image) -> Image.Image:
    transform = ImageCms.buildTransform(
        profile,
        ImageCms.createProfile("sRGB"),
        *(colours.mode, "RGB"),
        renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
    )
    return ImageCms.applyTransform(colours, transform)
