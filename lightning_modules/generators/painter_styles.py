"""Styles that the painter has codes for, described in words and searched by them.

A text is compared with the words as sentences (all-MiniLM-L6-v2), so that "the art on fire" leads
to fire and "Monet" to Claude Monet. `painter_styles.yaml` is the list.
"""

from __future__ import annotations

import re
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import yaml
from torch import Tensor

from datamodules.images import load_picture, to_tensor
from datamodules.models.cache import once_per_process
from datamodules.models.embedded_networks import sentence_embedder

FAMILIAR = 0.6  # cosine of a text and the nearest words; below it they mean different styles
STEM = 4  # letters in which forms of one word agree: tiled, tiles
AMERICAN = {  # spelling of the catalogue, by the British one
    r"colour": "color",
    r"\bgrey": "gray",
    r"\baluminium": "aluminum",
    r"\bjewellery": "jewelry",
    r"\bsulphur": "sulfur",
    r"\bmould": "mold",
}
NEUTRAL = re.compile(  # words that tell nothing of a style's substance
    "a|an|the|of|in|on|by|with|and|like|as|into|to|from|style|styles|art|looks?|made|old|print|"
    "paintings?|drawing|sketch|picture|texture|material|statue|sculpture"
)
STYLES = Path(__file__).with_name("painter_styles.yaml")
SWATCHES = Path(__file__).with_name("swatches")


@dataclass(frozen=True)
class PainterStyle:
    """A style that the painter has a code for.

    words:   names of the style, or descriptions of its look.
    code:    index of the code among the multi-style network's 26; -1 for a swatch.
    swatch:  style picture for the network of arbitrary styles, a file in swatches/; "" for a code.
    drawing: whether the swatch shows strokes on paper; the paper is not dyed.
    """

    words: list[str]
    code: int = -1
    swatch: str = ""
    drawing: bool = False

    def picture(self, color: str = "") -> Tensor:
        """Swatch (1, 3, h, w) in [0, 1], dyed in a CSS colour unless that is ""."""
        swatch = to_tensor(load_picture(str(SWATCHES / f"{self.swatch}.jpg"))).unsqueeze(0)
        return dye(swatch, color, self.drawing) if color else swatch


@once_per_process
def catalogue() -> tuple[list[PainterStyle], list[int], Tensor]:
    """All styles; per wording, the index of its style; embeddings (N, 384) of the N wordings."""
    styles = [PainterStyle(**entry) for entry in yaml.safe_load(STYLES.read_text("utf-8"))]
    wordings = [(k, words) for k, style in enumerate(styles) for words in style.words]
    embeddings = sentence_embedder()([american(words) for _, words in wordings])
    return styles, [k for k, _ in wordings], embeddings


def nearest_style(text: str) -> tuple[PainterStyle, str, float]:
    """Style whose words are nearest to the text, these words, and their cosine with the text."""
    styles, owners, embeddings = catalogue()
    similarity, place = (embeddings @ sentence_embedder()([american(text)])[0]).max(0)
    style = styles[owners[place]]
    return style, style.words[place - owners.index(owners[place])], float(similarity)


def american(text: str) -> str:
    """A text in American spelling where the catalogue's words occur in two."""
    for british, ours in AMERICAN.items():
        text = re.sub(british, ours, text, flags=re.IGNORECASE)
    return text


def foreign_to(style: PainterStyle, text: str) -> list[str]:
    """Words of a text that say something which no word of the style says, colours aside."""
    from PIL import ImageColor

    ours = {word for words in style.words for word in _words(words)}
    return [
        word
        for word in _words(text)
        if not NEUTRAL.fullmatch(word)
        and word not in ImageColor.colormap
        and not any(word[:STEM] == other[:STEM] for other in ours)
    ]


def _words(text: str) -> list[str]:
    return re.findall(r"[^\W\d_]+", american(text).lower())


def color_in(text: str, words: str) -> str:
    """First CSS colour that occurs in the text but not in `words`, "" for none."""
    from PIL import ImageColor

    of_the_style = re.findall(r"[a-z]+", words.lower())
    rest = [word for word in re.findall(r"[a-z]+", text.lower()) if word not in of_the_style]
    return next((word for word in rest if word in ImageColor.colormap), "")


def dye(picture: Tensor, color: str, drawing: bool = False) -> Tensor:
    """Picture (1, 3, h, w) in a CSS colour: hues and half of the lightness become the colour's.

    Differences of lightness within the picture remain. drawing: the lightness remains altogether,
    because it is the paper's.
    """
    from PIL import ImageColor
    from skimage.color import lab2rgb, rgb2lab

    lab = rgb2lab(picture[0].permute(1, 2, 0).numpy())
    goal = rgb2lab(np.array(ImageColor.getrgb(color)) / 255)
    lab[..., 1:] = goal[1:] + 0.3 * (lab[..., 1:] - lab[..., 1:].mean((0, 1)))
    if not drawing:
        lab[..., 0] += 0.5 * (goal[0] - lab[..., 0].mean())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about colours outside of RGB, which are clipped
        return torch.from_numpy(lab2rgb(lab)).permute(2, 0, 1).unsqueeze(0).float()
