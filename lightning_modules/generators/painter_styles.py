"""Styles that the painter has codes for, described in words and found by them.

The words are compared with a text as sentences (all-MiniLM-L6-v2), so that "the art on fire" finds
fire and "Monet" finds Claude Monet. `painter_styles.yaml` lists them.
"""

from __future__ import annotations

import re
import warnings
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import torch
import yaml
from torch import Tensor

from datamodules.images import load_picture, to_tensor
from datamodules.models import packaged

STYLES = Path(__file__).with_name("painter_styles.yaml")
SWATCHES = Path(__file__).with_name("swatches")


@dataclass(frozen=True)
class KnownStyle:
    """A style that the painter has a code for.

    words:  what it is called, or what it looks like.
    code:   its number among the multi-style network's 26, or
    swatch: the style picture that the other network reads, a file in swatches/.
    drawn:  strokes on paper, whose paper takes no colour.
    """

    words: list[str]
    code: int = -1
    swatch: str = ""
    drawn: bool = False

    def picture(self, color: str = "") -> Tensor:
        """The swatch (1, 3, h, w), dyed in a CSS colour if one is named."""
        swatch = to_tensor(load_picture(str(SWATCHES / f"{self.swatch}.jpg"))).unsqueeze(0)
        return dyed(swatch, color, self.drawn) if color else swatch


@cache
def known_styles() -> tuple[list[KnownStyle], list[int], Tensor]:
    """All of them; for every wording, which of them it means, and its embedding (N, 384)."""
    styles = [KnownStyle(**entry) for entry in yaml.safe_load(STYLES.read_text("utf-8"))]
    wordings = [(k, words) for k, style in enumerate(styles) for words in style.words]
    embeddings = packaged.sentence_embedder()([words for _, words in wordings])
    return styles, [k for k, _ in wordings], embeddings


def nearest_style(text: str) -> tuple[KnownStyle, str, float]:
    """The known style whose words are nearest to the text, those words, and their cosine."""
    styles, meant, embeddings = known_styles()
    similarity, place = (embeddings @ packaged.sentence_embedder()([text])[0]).max(0)
    style = styles[meant[place]]
    return style, style.words[place - meant.index(meant[place])], float(similarity)


def color_in(text: str, words: str) -> str:
    """The first CSS colour that the text names and `words` do not, "" for none."""
    from PIL import ImageColor

    known = re.findall(r"[a-z]+", words.lower())
    free = [word for word in re.findall(r"[a-z]+", text.lower()) if word not in known]
    return next((word for word in free if word in ImageColor.colormap), "")


def dyed(picture: Tensor, color: str, drawn: bool = False) -> Tensor:
    """The picture (1, 3, h, w) in a CSS colour: its hues, and half of its lightness, are the
    colour's; lights and darks stay apart. drawn: the lightness stays, which is the paper's.
    """
    from PIL import ImageColor
    from skimage.color import lab2rgb, rgb2lab

    lab = rgb2lab(picture[0].permute(1, 2, 0).numpy())
    wanted = rgb2lab(np.array(ImageColor.getrgb(color)) / 255)
    lab[..., 1:] = wanted[1:] + 0.3 * (lab[..., 1:] - lab[..., 1:].mean((0, 1)))
    if not drawn:
        lab[..., 0] += 0.5 * (wanted[0] - lab[..., 0].mean())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of colours beyond RGB, which are clipped
        return torch.from_numpy(lab2rgb(lab)).permute(2, 0, 1).unsqueeze(0).float()
