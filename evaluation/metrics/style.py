"""Style adherence: similarity of object and background to their style texts in a joint space.

The encoder that was optimised is no judge of its own work, so its scores have names of their own:
they begin with "own_", those of any other encoder do not.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import torch
from torch import Tensor

from datamodules.task import BACKGROUND, Blend
from evaluation.metrics import scores as declared
from evaluation.metrics.base import UNDEFINED, PictureMetric, Pictures
from evaluation.metrics.boxes import box_around
from evaluation.metrics.scores import OWN
from lightning_modules.encoders.base import JointEncoder
from lightning_modules.losses.directional import directional_loss
from lightning_modules.steps.directions import blend_direction, embed_prompted
from lightning_modules.steps.patches import mean_within

CHUNK = 128  # views per call of the encoder
PROTOCOL_SIDE = 512  # px, side of the pictures in CLIPstyler's protocol of crops


@dataclass(frozen=True)
class Part:
    """One part of one picture, and the styles with which it is compared.

    picture: its index in the batch. mask: (H, W) in [0, 1]. styles: at least one.
    """

    picture: int
    background: bool
    mask: Tensor
    styles: Blend


def parts_of(pictures: Pictures) -> list[Part]:
    """All parts that can be judged: every object with a style text, and the background.

    A background without a style of its own is compared with the first object's: only the sailboat
    shall burn.
    """
    parts = []
    for index, regions in enumerate(pictures.regions):
        styled = [region for region in regions if region.styles]
        parts += [Part(index, r.area.object == BACKGROUND, r.mask, r.styles) for r in styled]
        rest = 1 - pictures.mask[index]
        if styled and styled[-1].area.object != BACKGROUND:
            parts.append(Part(index, True, rest, styled[0].styles))
    return [part for part in parts if bool((part.mask > 0.5).any())]


class StyleMetric(PictureMetric):
    """Base class of the metrics of style: the encoder, its texts, and the names of its scores.

    Args:
        scorer: the encoder that judges.
    """

    def __init__(self, scorer: JointEncoder) -> None:
        super().__init__(network=scorer.identity)
        self.scorer = scorer
        self._texts: dict[Hashable, Tensor] = {}

    def embed(self, views: Tensor) -> Tensor:
        """Unit vectors (V, D) of views (V, 3, S, S), CHUNK at a time."""
        return torch.cat([self.scorer.embed_images(chunk) for chunk in views.split(CHUNK)])

    def style(self, styles: Blend) -> Tensor:
        """(D,) whose product with a unit vector is its mean cosine, by weight, with the texts."""
        if styles not in self._texts:
            weights, texts = zip(*styles, strict=True)
            shares = torch.tensor(weights) / sum(weights)
            embedded = self.scorer.embed_texts(list(texts))
            self._texts[styles] = shares.to(embedded) @ embedded
        return self._texts[styles]

    def direction(self, styles: Blend, source_text: str) -> Tensor:
        """dT (D,) from the source text to the styles (CLIPstyler, eq. 1)."""
        key = (styles, source_text)
        if key not in self._texts:
            embed = partial(embed_prompted, self.scorer)
            self._texts[key] = blend_direction(embed, styles, embed(source_text))
        return self._texts[key]

    def applies(self, score: str, pictures: Pictures) -> bool:
        return score.startswith(OWN) == (pictures.encoder == self.scorer.identity)

    def by_picture(
        self, pictures: Pictures, parts: Sequence[Part], values: Mapping[str, Tensor]
    ) -> dict[str, Tensor]:
        """Means per picture (N,) of values per part (L,), named as this judge's scores are."""
        own = OWN if self.applies(OWN, pictures) else ""
        scores = dict.fromkeys(self.scores, pictures.mask.new_full((len(pictures),), UNDEFINED))
        for background, ending in ((False, ""), (True, "_background")):
            places = [k for k, part in enumerate(parts) if part.background == background]
            owners = torch.tensor([parts[k].picture for k in places]).long()
            for name, value in values.items():
                if own + name + ending in scores:
                    mean = means(value[places], owners.to(value.device), len(pictures))
                    scores[own + name + ending] = mean
        return scores


def means(values: Tensor, owners: Tensor, count: int) -> Tensor:
    """Mean (count,) of the values (L,) of each owner (L,); UNDEFINED for an owner of none."""
    empty = values.new_zeros(count)
    ones = torch.ones_like(values)
    return empty.index_add(0, owners, values) / empty.index_add(0, owners, ones)


class GlobalStyle(StyleMetric):
    """The whole object, and the whole background, against the style.

    Everything else is black, as in Sem-CS (M * picture), and the view is cropped to the part's
    bounding box, so that small objects fill it.
    """

    scores: ClassVar = declared.GLOBAL_STYLE

    def score(self, pictures: Pictures) -> dict[str, Tensor]:
        parts = parts_of(pictures)
        if not parts:
            return self.by_picture(pictures, parts, {})
        before, after = (
            self.embed(torch.cat([self._view(images, part) for part in parts]))
            for images in (pictures.content, pictures.output)
        )
        styles = torch.stack([self.style(part.styles) for part in parts])
        source = pictures.source_text
        directions = torch.stack([self.direction(part.styles, source) for part in parts])
        values = {
            "style_global": (after * styles).sum(1),
            "style_global_before": (before * styles).sum(1),
            "style_direction": 1 - directional_loss(after, before, directions),
        }
        return self.by_picture(pictures, parts, values)

    def _view(self, images: Tensor, part: Part) -> Tensor:
        """The encoder's view (1, 3, S, S) of a part's bounding box, black outside the part."""
        rows, columns = box_around(part.mask > 0.5)
        return self.scorer.view((images[part.picture] * part.mask)[None, :, rows, columns])


class PatchStyle(StyleMetric):
    """Random crops against the style, by CLIPstyler's protocol: the mean cosine of 64 crops of 64
    to 224 px of a 512 px picture; at other sizes the crops are as large relative to the shorter
    side.

    The crops of an object are drawn uniformly from those that it covers by at least half; without
    any, those that it covers most are taken. They are the same for every output of one picture.

    Args:
        crops: number of crops per part.
        smallest, largest: their sides in px at 512 px.
        seed: of their places.
    """

    scores: ClassVar = declared.PATCH_STYLE

    def __init__(
        self,
        scorer: JointEncoder,
        crops: int = 64,
        smallest: int = 64,
        largest: int = 224,
        seed: int = 0,
    ) -> None:
        super().__init__(scorer)
        self.crops = crops
        self.sides = (smallest / PROTOCOL_SIDE, largest / PROTOCOL_SIDE)
        self.seed = seed

    def score(self, pictures: Pictures) -> dict[str, Tensor]:
        parts = parts_of(pictures)
        if not parts:
            return self.by_picture(pictures, parts, {})
        cosines = [self._cosine(pictures.output[part.picture], part) for part in parts]
        return self.by_picture(pictures, parts, {"style_patch": torch.stack(cosines)})

    def _cosine(self, image: Tensor, part: Part) -> Tensor:
        boxes = crop_boxes(part.mask, self.crops, *self.sides, self.seed)
        crops = cut_boxes(image, boxes, self.scorer.image_size)
        return (self.embed(crops) @ self.style(part.styles)).mean()


def crop_boxes(mask: Tensor, count: int, smallest: float, largest: float, seed: int) -> Tensor:
    """Boxes (count, 4) as left, top, right, bottom in px, square, inside the picture.

    mask: (H, W) in [0, 1]; a box is covered by at least half, or else is among the most covered.
    smallest, largest: sides relative to the picture's shorter side.
    """
    height, width = mask.shape
    random = torch.Generator().manual_seed(seed)
    u, x, y, order = torch.rand(4, 64 * count, generator=random, dtype=torch.float64).unbind()
    side = ((smallest + u * (largest - smallest)) * min(height, width)).round().clamp(min=1)
    left, top = (x * (width - side + 1)).floor(), (y * (height - side + 1)).floor()
    covered = mean_within(mask.cpu(), torch.stack([left, top, side], dim=1))
    rank = torch.where(covered >= 0.5, 1 + order, covered)
    boxes = torch.stack([left, top, left + side, top + side], dim=1).long()
    return boxes[rank.topk(count).indices].to(mask.device)


def cut_boxes(image: Tensor, boxes: Tensor, size: int) -> Tensor:
    """The boxes (K, 4) of a picture (3, H, W) at (K, 3, size, size), antialiased."""
    from torchvision.ops import roi_align

    return roi_align(image[None], [boxes.to(image)], size, aligned=True)
