"""The contracts of the data's way: what the parser finds, what the masks add, what a step gets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from itertools import groupby

import torch
from torch import Tensor

from datamodules.support.errors import AtelierError

MOST_STYLES = 8  # in one picture; more are a mistake or a mush
BACKGROUND = "background"  # the object of a target that means: all that no other target names

Blend = tuple[tuple[float, str], ...]  # (weight, style text) of each style on one region


@dataclass(frozen=True)
class StyleTarget:
    """What to stylize, and how: one pair out of an instruction.

    object: the phrase naming the object, "" if the instruction names none, BACKGROUND for all that
            the other targets leave or, alone, for what lies behind all that stands out.
    style:  the phrase naming the style, "" if the instruction names none.
    weight: share of this style among those of the same object, >= 0.
    """

    object: str
    style: str
    weight: float = 1.0


def regions(targets: tuple[StyleTarget, ...]) -> list[tuple[str, Blend]]:
    """The objects in the order they are named, the background last, each with its styles."""
    names = [target.object for target in targets]
    by_object = sorted(targets, key=lambda t: (t.object == BACKGROUND, names.index(t.object)))
    return [
        (name, tuple((target.weight, target.style) for target in group if target.style))
        for name, group in groupby(by_object, key=lambda target: target.object)
    ]


def objects(names: Sequence[str]) -> list[str]:
    """The regions' names that a mask is looked for: all but the background, unless it is alone."""
    return [name for name in names if name != BACKGROUND] or list(names)


@dataclass(frozen=True)
class StyleTask:
    """One job, ready to be optimised.

    content: picture, float32 (3, H, W) in [0, 1].
    targets: the styles asked for; those of one object share a region.
    masks:   one soft mask a region, float32 (K, H, W) in [0, 1], in the order of `regions`;
             1 = the region to stylize, everywhere and for every method. They sum to at most 1.
    source_text: what the content image is described as (CLIPstyler: "a Photo").
    style_image: a picture that shows the style of the first region, (3, h, w) in [0, 1].
    parse_note: what must be known about how the targets were parsed, "" if nothing.
    """

    content: Tensor
    targets: tuple[StyleTarget, ...]
    masks: Tensor
    source_text: str = "a Photo"
    style_image: Tensor | None = None
    parse_note: str = ""

    def __post_init__(self) -> None:
        expected = (len(regions(self.targets)), *self.content.shape[1:])
        if tuple(self.masks.shape) != expected:
            raise ValueError(f"masks have shape {tuple(self.masks.shape)}, not {expected}")
        if not 0 <= float(self.masks.min()) <= float(self.masks.sum(0).max()) <= 1 + 1e-5:
            raise ValueError("masks must be in [0, 1] and sum to at most 1 in every pixel")

    @property
    def stylized(self) -> Tensor:
        """All regions together, (H, W) in [0, 1]."""
        return self.masks.sum(0).clamp(max=1)

    def batch(self) -> StyleBatch:
        """The tensors of this task, with the batch dimension that networks expect."""
        return StyleBatch(
            content=self.content.unsqueeze(0),
            masks=self.masks.unsqueeze(0),
            styles=tuple(blend for _, blend in regions(self.targets)),
            source_text=self.source_text,
            style_image=None if self.style_image is None else self.style_image.unsqueeze(0),
        )


@dataclass(frozen=True)
class StyleBatch:
    """What a training step gets: content (1, 3, H, W), masks (1, K, H, W), K blends of styles."""

    content: Tensor
    masks: Tensor
    styles: tuple[Blend, ...]
    source_text: str
    style_image: Tensor | None = None

    def to(self, device: torch.device | str) -> StyleBatch:
        """The same batch with its tensors on `device`."""
        moved = {
            f.name: value.to(device)
            for f in fields(self)
            if isinstance(value := getattr(self, f.name), Tensor)
        }
        return replace(self, **moved)


def check_weights(weights: list[float], of: str) -> None:
    """AtelierError unless all weights are >= 0 and one is greater; `of` names them."""
    if min(weights) < 0 or max(weights) == 0 or not all(w < float("inf") for w in weights):
        raise AtelierError(
            f"{of} are {', '.join(f'{w:g}' for w in weights)}: weights must be 0 or more, and at "
            "least one greater than 0"
        )
