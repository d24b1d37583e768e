"""Embeddings of the study's pictures and texts by one encoder."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial

import torch
from torch import Tensor
from torch.nn import functional as F

from evaluation.metrics.style import crop_boxes, cut_boxes
from experiments.correlation.pictures import Shots
from lightning_modules.encoders.base import JointEncoder
from lightning_modules.generators.painter_styles import PainterStyle
from lightning_modules.steps.directions import embed_prompted, text_direction

SOURCE = "a Photo"  # the papers' description of the photo
CROPS, SMALLEST, LARGEST = 6, 0.25, 0.5  # patches as large as those of the embedded methods


@dataclass(frozen=True)
class Texts:
    """Directions dT of the styles' words: S styles, N wordings, D dimensions.

    first:  (S, D) of each style's first words, by prompts: "bare" and "templates".
    every:  (N, D) of all words, with templates. owners: (N,) the style of each.
    """

    first: dict[str, Tensor]
    every: Tensor
    owners: Tensor


@torch.no_grad()
def embed_texts(encoder: JointEncoder, styles: Sequence[PainterStyle]) -> Texts:
    """Directions of all words, in double precision."""
    bare = partial(_directions, lambda text: encoder.embed_texts([text])[0])
    templates = partial(_directions, partial(embed_prompted, encoder))
    by_style = [templates(style.words) for style in styles]
    firsts = torch.stack([words[0] for words in by_style])
    return Texts(
        {"bare": bare(style.words[0] for style in styles), "templates": firsts},
        torch.cat(by_style),
        torch.tensor([k for k, style in enumerate(styles) for _ in style.words]),
    )


def _directions(embed: Callable[[str], Tensor], texts: Iterable[str]) -> Tensor:
    """dT (T, D) of texts, from E_T of one text to a unit vector (D,)."""
    source = embed(SOURCE)
    return torch.stack([text_direction(embed(text), source) for text in texts]).double()


@dataclass(frozen=True)
class Pictures:
    """Unit vectors of pictures, in double precision: S styles, P photos, K patches, D dimensions.

    photos:    (P, D).
    paintings: (S, P, 1 + K, D): each photo in each style, whole and then its patches.
    swatches:  (R, 1 + K, D): style pictures. swatch_styles: (R,) the style of each.
    series:    by name, "blend" and "code", (W, S, Q, D): Q photos in growing strength of the style.
    """

    photos: Tensor
    paintings: Tensor
    swatches: Tensor
    swatch_styles: Tensor
    series: dict[str, Tensor]

    def directions(self) -> dict[str, Tensor]:
        """dI (S, P, D) of the painted photos, by view: "whole" and "patches"."""
        return image_directions(self.paintings, self.photos)

    def swatch_directions(self) -> dict[str, Tensor]:
        """dI (R, P, D) from every photo to every swatch, by view."""
        return image_directions(self.swatches[:, None], self.photos)


def image_directions(views: Tensor, photos: Tensor) -> dict[str, Tensor]:
    """dI (R, P, D) from photos (P, D) to views (R, P or 1, 1 + K, D), whole and by patches.

    Patches are compared with the whole photo, as in CLIPstyler; here by their mean.
    """
    means = {"whole": views[:, :, 0], "patches": views[:, :, 1:].mean(2)}
    return {name: F.normalize(mean - photos, dim=-1) for name, mean in means.items()}


@dataclass
class Collector:
    """Embeddings of pictures by one encoder, collected style by style."""

    encoder: JointEncoder
    photos: Sequence[Tensor]
    paintings: list[Tensor] = field(default_factory=list)
    swatches: list[Tensor] = field(default_factory=list)
    swatch_styles: list[int] = field(default_factory=list)
    series: dict[str, list[Tensor]] = field(default_factory=lambda: {"blend": [], "code": []})

    @torch.no_grad()
    def add(self, shots: Shots) -> None:
        """Embed the pictures of the next style."""
        if shots.swatch is not None:
            self.swatches.append(self.views(shots.swatch))
            self.swatch_styles.append(len(self.paintings))
        self.paintings.append(torch.stack([self.views(each) for each in shots.paintings]))
        for name, series in {"blend": shots.blends, "code": shots.codes}.items():
            columns = [torch.cat([self._whole(step) for step in steps]) for steps in series]
            self.series[name].append(torch.stack(columns, dim=1))

    @torch.no_grad()
    def pictures(self) -> Pictures:
        """All embeddings so far; at least one style must have a swatch."""
        return Pictures(
            torch.cat([self._whole(photo) for photo in self.photos]).double(),
            torch.stack(self.paintings).double(),
            torch.stack(self.swatches).double(),
            torch.tensor(self.swatch_styles),
            {name: torch.stack(steps, dim=1).double() for name, steps in self.series.items()},
        )

    def views(self, picture: Tensor) -> Tensor:
        """Embeddings (1 + K, D) of a picture (1, 3, H, W): whole, and of K patches."""
        everywhere = torch.ones(picture.shape[2:])
        boxes = crop_boxes(everywhere, CROPS, SMALLEST, LARGEST, seed=0)
        patches = cut_boxes(picture[0], boxes, self.encoder.image_size)
        return torch.cat([self._whole(picture), self.encoder.embed_images(patches)])

    def _whole(self, picture: Tensor) -> Tensor:
        return self.encoder.embed_images(self.encoder.view(picture))
