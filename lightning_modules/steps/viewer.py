"""Views of an output for the encoder: whole pictures, warped patches, and their embeddings."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from lightning_modules.encoders.base import JointEncoder
from lightning_modules.steps.observer import Observer
from lightning_modules.steps.patches import (
    BoxesBySide,
    Patches,
    Places,
    cut,
    draw,
    random_corners,
    warp,
)
from lightning_modules.steps.selective_backward import Selection


class Viewer:
    """Composition and encoding of the views of one run.

    Args:
        encoder: joint encoder, frozen.
        patches: number and distortion of the patches per step; None if there are none.
        random: source of the patches' places and perspectives.
        observer: listener of the steps.
        chunk: views that the encoder embeds at a time, 0 = all of them.
        antialias: in resizing whole pictures for the encoder.
    """

    def __init__(
        self,
        encoder: JointEncoder,
        patches: Patches | None,
        random: torch.Generator,
        observer: Observer,
        chunk: int,
        antialias: bool = True,
    ) -> None:
        self.encoder, self.patches, self.random = encoder, patches, random
        self.observer, self.chunk, self.antialias = observer, chunk, antialias
        self.selection = Selection()

    def compose(self, whole: Tensor, output: Tensor, parts: Sequence[Places]) -> Tensor:
        """Views (V + N, 3, S, S) of this step: whole pictures, then patches, part after part.

        whole: (V, 3, H, W). output: (1, 3, H, W), from which the patches are cut. parts: places of
        the patches.
        """
        places = draw(parts, self.random)
        with self.observer.stage("encoder"):
            wholes = self.view(whole)
        return torch.cat([wholes, self.cut(output, places)])

    def view(self, whole: Tensor) -> Tensor:
        """Whole pictures (V, 3, H, W) at the encoder's size, (V, 3, S, S)."""
        return self.encoder.view(whole, self.antialias)

    def cut(self, image: Tensor, places: BoxesBySide) -> Tensor:
        """Patches (N, 3, S, S) of a picture (1, 3, H, W), each warped by a random perspective."""
        settings, patches = self.patches, []
        sizes = self.encoder.image_size, settings.through
        for side, boxes in places:
            corners = random_corners(len(boxes), settings.distortion, image.device, self.random)
            self.observer.patches(boxes, corners)
            with self.observer.stage("patches"):
                patches.append(cut(image, boxes, corners, side, *sizes, settings.fade_twice))
        return torch.cat(patches)

    def crops(self, image: Tensor, places: BoxesBySide) -> Tensor:
        """Plain crops (N, 3, S, S) of a picture (1, 3, H, W), resized as whole pictures are."""
        parts = []
        for side, boxes in places:
            corners = random_corners(len(boxes), 0, image.device, self.random)
            parts.append(self.view(warp(image, boxes, corners, side)))
        return torch.cat(parts)

    def embed(self, views: Tensor) -> Tensor:
        """Unit vectors (V, D) of views (V, 3, S, S)."""
        if not len(views):
            return views.flatten(1)
        return self.selection.embed(self._encode, views, self.chunk)

    def _encode(self, views: Tensor) -> Tensor:
        with self.observer.stage("encoder"):
            return self.encoder.embed_images(views)
