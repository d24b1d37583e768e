"""Style adherence: how near object and background are to their style texts in a joint space.

The encoder that was optimised is no judge of its own work, which every score here says by its name:
"own_" stands before what that encoder says, and what any other says has no such prefix.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn import functional as F

from datamodules.task import BACKGROUND, Blend
from evaluation.metrics.base import UNDEFINED, PictureMetric, Pictures, Score
from lightning_modules.encoders.base import JointEncoder
from lightning_modules.losses.directional import directional_loss
from lightning_modules.steps.directions import blend_direction, embed_prompted

OWN = "own_"
CHUNK = 128  # views that the encoder looks at together

_BACKGROUND_NOTE = "should be low, unless the background has a style of its own"


@dataclass(frozen=True)
class Look:
    """One part of one picture, and the style it is compared with.

    picture: its index in the batch. mask: (H, W) in [0, 1]. styles: at least one.
    """

    picture: int
    background: bool
    mask: Tensor
    styles: Blend


def looks(pictures: Pictures) -> list[Look]:
    """All that can be judged: every object that a text styles, and the background.

    A background without a style of its own is compared with the first object's: only the sailboat
    shall burn.
    """
    found = []
    for index, regions in enumerate(pictures.regions):
        told = [region for region in regions if region.styles]
        found += [Look(index, r.name == BACKGROUND, r.mask, r.styles) for r in told]
        left = 1 - pictures.mask[index]
        if told and told[-1].name != BACKGROUND and bool((left > 0.5).any()):
            found.append(Look(index, True, left, told[0].styles))
    return [look for look in found if bool((look.mask > 0.5).any())]


class StyleMetric(PictureMetric):
    """What the metrics of style share: the encoder, its texts, and whose judgement it is.

    Args:
        scorer: the encoder that judges.
    """

    def __init__(self, scorer: JointEncoder) -> None:
        super().__init__(network=scorer.identity)
        self.scorer = scorer
        self._texts: dict[object, Tensor] = {}

    def embed(self, views: Tensor) -> Tensor:
        """Unit vectors (V, D) of views (V, 3, S, S), some at a time."""
        return torch.cat([self.scorer.embed_images(part) for part in views.split(CHUNK)])

    def style(self, styles: Blend) -> Tensor:
        """(D,) whose product with a unit vector is the mean cosine, by weight, with the texts."""
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
            source = embed_prompted(self.scorer, source_text)
            self._texts[key] = blend_direction(self.scorer, styles, source)
        return self._texts[key]

    def applies(self, score: str, pictures: Pictures) -> bool:
        return score.startswith(OWN) == (pictures.encoder == self.scorer.identity)

    def by_picture(
        self, pictures: Pictures, seen: Sequence[Look], values: dict[str, Tensor]
    ) -> dict[str, Tensor]:
        """Values (L,) a look as (N,) a picture, under the names of who judges."""
        nothing = pictures.mask.new_full((len(pictures),), UNDEFINED)
        scores = dict.fromkeys(self.scores, nothing)
        own = OWN if self.applies(OWN, pictures) else ""
        for background, ending in ((False, ""), (True, "_background")):
            chosen = [i for i, look in enumerate(seen) if look.background == background]
            where = torch.tensor([seen[i].picture for i in chosen], device=nothing.device).long()
            for name, value in values.items():
                if own + name + ending in scores:
                    total = torch.zeros_like(nothing).index_add(0, where, value[chosen])
                    count = torch.zeros_like(nothing).index_add(
                        0, where, value.new_ones(len(where))
                    )
                    scores[own + name + ending] = total / count
        return scores


def means(values: Tensor, where: Tensor, count: int) -> Tensor:
    """Mean (count,) of the values (L,) at each place in `where` (L,); UNDEFINED where none is."""
    empty = values.new_zeros(count)
    ones = torch.ones_like(values)
    return empty.index_add(0, where, values) / empty.index_add(0, where, ones)


def judgements(values: Mapping[str, float | None], score: str) -> dict[str, float]:
    """What each encoder says, by its identity, under a score such as "own_style_global"."""
    start = f"{score}."
    said = {name: value for name, value in values.items() if value is not None}
    return {name.removeprefix(start): said[name] for name in said if name.startswith(start)}


def both(scores: dict[str, Score]) -> dict[str, Score]:
    """The scores, and the same as the encoder that was optimised gives them."""
    return scores | {OWN + name: score for name, score in scores.items()}


class GlobalStyle(StyleMetric):
    """The whole object, and the whole background, against the style.

    What is not looked at is black, as Sem-CS has it (M * picture), and the view is cut to the
    region's bounding box, so that small objects are seen.
    """

    scores: ClassVar = both(
        {
            "style_global": Score(True, -1, 1, "cos(E_I(O), E_T(style)), in the object"),
            "style_global_background": Score(
                None, -1, 1, "the same in the background", note=_BACKGROUND_NOTE
            ),
            "style_global_before": Score(None, -1, 1, "the same of the content image's object"),
            "style_direction": Score(
                True, -1, 1, "cos(E_I(O) - E_I(I), dT), in the object: CLIPstyler, eq. 1"
            ),
            "style_direction_background": Score(
                None, -1, 1, "the same in the background", note=_BACKGROUND_NOTE
            ),
        }
    )

    def score(self, pictures: Pictures) -> dict[str, Tensor]:
        seen = looks(pictures)
        if not seen:
            return self.by_picture(pictures, seen, {})
        before, after = (
            self.embed(torch.cat([self._view(images, look) for look in seen]))
            for images in (pictures.content, pictures.output)
        )
        styles = torch.stack([self.style(look.styles) for look in seen])
        asked = torch.stack([self.direction(look.styles, pictures.source_text) for look in seen])
        values = {
            "style_global": (after * styles).sum(1),
            "style_global_before": (before * styles).sum(1),
            "style_direction": 1 - directional_loss(after, before, asked),
        }
        return self.by_picture(pictures, seen, values)

    def _view(self, images: Tensor, look: Look) -> Tensor:
        """The region's bounding box of a picture, black outside the region, as the encoder sees."""
        rows, columns = (look.mask > 0.5).nonzero().unbind(1)
        box = (
            slice(int(rows.min()), int(rows.max()) + 1),
            slice(int(columns.min()), int(columns.max()) + 1),
        )
        return self.scorer.view((images[look.picture] * look.mask)[None, :, *box])


class PatchStyle(StyleMetric):
    """Random patches against the style, by CLIPstyler's protocol: the mean cosine of 64 crops of 64
    to 224 px of a 512 px picture; at other sizes the crops are as large relative to the shorter
    side.

    The crops of an object are drawn uniformly from those that it covers at least by half; where
    there are none, those that it covers most are taken. They are the same for every output of the
    same picture.

    Args:
        crops: number of crops a region.
        smallest, largest: their sides in px at 512 px.
        seed: of their places.
    """

    scores: ClassVar = both(
        {
            "style_patch": Score(
                True, -1, 1, "CLIPstyler, supplement: cosine of crops with the style text"
            ),
            "style_patch_background": Score(
                None, -1, 1, "the same in the background", note=_BACKGROUND_NOTE
            ),
        }
    )

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
        self.sides = (smallest / 512, largest / 512)
        self.seed = seed

    def score(self, pictures: Pictures) -> dict[str, Tensor]:
        seen = looks(pictures)
        if not seen:
            return self.by_picture(pictures, seen, {})
        means = []
        for look in seen:
            boxes = crop_boxes(look.mask, self.crops, *self.sides, self.seed)
            patches = cut_boxes(pictures.output[look.picture], boxes, self.scorer.image_size)
            means.append((self.embed(patches) @ self.style(look.styles)).mean())
        return self.by_picture(pictures, seen, {"style_patch": torch.stack(means)})


def crop_boxes(mask: Tensor, count: int, smallest: float, largest: float, seed: int) -> Tensor:
    """Boxes (count, 4) as left, top, right, bottom in px, square, inside the picture.

    mask: (H, W) in [0, 1]; a box is covered at least by half, or else is among the most covered.
    smallest, largest: sides relative to the picture's shorter side.
    """
    height, width = mask.shape
    chance = torch.Generator().manual_seed(seed)
    u, x, y, order = torch.rand(4, 64 * count, generator=chance, dtype=torch.float64).unbind()
    side = ((smallest + u * (largest - smallest)) * min(height, width)).round().clamp(min=1)
    left, top = (x * (width - side + 1)).floor(), (y * (height - side + 1)).floor()
    boxes = torch.stack([left, top, left + side, top + side], dim=1).long()
    table = F.pad(mask.double().cpu().cumsum(0).cumsum(1), (1, 0, 1, 0))
    x0, y0, x1, y1 = boxes.unbind(1)
    covered = (table[y1, x1] - table[y0, x1] - table[y1, x0] + table[y0, x0]) / side.square()
    rank = torch.where(covered >= 0.5, 1 + order, covered)
    return boxes[rank.topk(count).indices].to(mask.device)


def cut_boxes(image: Tensor, boxes: Tensor, size: int) -> Tensor:
    """The boxes (K, 4) of a picture (3, H, W) at (K, 3, size, size), antialiased."""
    from torchvision.ops import roi_align

    return roi_align(image[None], [boxes.to(image)], size, aligned=True)
