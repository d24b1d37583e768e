"""Texts with the painter's codes for them: what FastPainter's shipped weights were trained on.

`fast_lessons.safetensors` is written by `experiments/make/fast_lessons.py` from the words of the
painter's styles and from `fast_painter_texts.yaml`.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from safetensors import safe_open
from torch import Tensor

from datamodules.models import embedded_networks, packaged
from datamodules.models.cache import once_per_process
from lightning_modules.generators.painter_styles import (
    FAMILIAR,
    PainterStyle,
    american,
    foreign_to,
)

INSTEAD = "take the file from Atelier's repository"
LESSONS = packaged.EmbeddedFile(
    "lightning_modules",
    "generators/fast_lessons.safetensors",
    "d537e9f382ad4d1aa8bfbab7b08c68bcac0c4d1fb73885d1c81107e60700f916",
    INSTEAD,
)


@dataclass(frozen=True)
class Lessons:
    """Texts in American spelling and their codes for the painter of arbitrary styles.

    embeddings: of the T texts by the sentence encoder, unit vectors (T, 384).
    codes: (T, 100). mean: (100,), of codes of styles in many colours. precision: (100, 100), the
    inverse of their covariance, which was regularised.
    """

    texts: list[str]
    embeddings: Tensor
    codes: Tensor
    mean: Tensor
    precision: Tensor

    def nearest(self, text: str, count: int = 5) -> tuple[list[str], float]:
        """Texts of the lessons by their nearness to a text, and its cosine with the first."""
        embedding = embedded_networks.sentence_embedder()([american(text)])[0]
        similarities, places = (self.embeddings.to(embedding) @ embedding).topk(count)
        return [self.texts[place] for place in places], float(similarities[0])

    def unlike(self, text: str) -> str:
        """Remark on a text that no lesson is near, or whose substance no near one names; or ""."""
        near, similarity = self.nearest(text)
        if similarity < FAMILIAR:
            limit = f"no style like {text!r}; the nearest is {near[0]!r}: expect a rough likeness"
        elif foreign := foreign_to(PainterStyle(near), text):
            limit = (
                f"no {' '.join(foreign)!r} and may paint {text!r} like {near[0]!r}, which may "
                "differ in substance"
            )
        else:
            return ""
        return f"The network has learned {limit}; --style-image shows it a style"

    def rows(self, texts: Sequence[str]) -> list[int]:
        """Places of texts among the lessons, -1 for one that is none."""
        places = {text.lower(): place for place, text in enumerate(self.texts)}
        return [places.get(american(text).lower(), -1) for text in texts]

    def distance(self, codes: Tensor) -> Tensor:
        """Squared Mahalanobis distance (N,) of codes (N, 100), divided by their length."""
        off = codes - self.mean.to(codes)
        return torch.einsum("nc,cd,nd->n", off, self.precision.to(codes), off) / codes.shape[1]


@once_per_process
def lessons() -> Lessons:
    """The lessons of the shipped weights."""
    with safe_open(packaged.locate(LESSONS), framework="pt") as file:
        texts = json.loads(file.metadata()["texts"])
        return Lessons(texts, *(file.get_tensor(name).float() for name in TENSORS))


TENSORS = ("embeddings", "codes", "mean", "precision")
