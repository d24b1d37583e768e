"""Contracts between the stages: the parser gives targets, the masks add regions, a step takes a
batch of tensors. The module imports torch only where tensors are made.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any

from datamodules.support.errors import AtelierError
from datamodules.vocabulary import DETERMINERS

if TYPE_CHECKING:
    import torch
    from torch import Tensor

MOST_STYLES = 8  # in one picture; more are a mistake or a blur
BACKGROUND = "background"  # object of the target for everything that no other target names

Blend = tuple[tuple[float, str], ...]  # (weight, style text) of each style on one region


@dataclass(frozen=True)
class StyleTarget:
    """One pair of an instruction: an object and the style that it shall take.

    object: the phrase for the object, "" for the whole picture, BACKGROUND for everything that the
            other targets leave or, alone, for everything behind the salient object.
    style:  the phrase for the style, "" if the instruction has none.
    weight: share of this style among those of the same object, >= 0.
    exceptions: phrases for the parts of the object that remain as they are.
    """

    object: str
    style: str
    weight: float = 1.0
    exceptions: tuple[str, ...] = ()

    @property
    def area(self) -> Area:
        """The part of the picture that the target names."""
        return Area(self.object, self.exceptions)


@dataclass(frozen=True)
class Area:
    """A part of a picture in words: what a region of the picture is to be.

    object, exceptions: those of `StyleTarget`.
    """

    object: str
    exceptions: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """The area as people say it: "cat", "everything except the cat", "the whole picture"."""
        return self.name or "the whole picture"

    @property
    def name(self) -> str:
        """The same, but "" for the whole picture."""
        if not self.exceptions:
            return self.object
        without = enumeration([with_article(phrase) for phrase in self.exceptions])
        return f"{self.object or 'everything'} except {without}"


def with_article(phrase: str) -> str:
    """The phrase with "the", unless it begins with a determiner or a capital letter."""
    plain = phrase.split()[0].lower() not in DETERMINERS and phrase[0].islower()
    return f"the {phrase}" if plain else phrase


def enumeration(words: Sequence[str]) -> str:
    """Words as an enumeration: "cat, cup and saucer"."""
    *first, last = words
    return f"{', '.join(first)} and {last}" if first else last


def styles_by_area(targets: Iterable[StyleTarget]) -> dict[Area, Blend]:
    """Styles of each area, in the order of the targets, the background last."""
    styles: dict[Area, Blend] = {}
    for target in targets:
        blend = ((target.weight, target.style),) if target.style else ()
        styles[target.area] = styles.get(target.area, ()) + blend
    return dict(sorted(styles.items(), key=lambda entry: entry[0].object == BACKGROUND))


def alike(styles: Mapping[Area, Blend]) -> list[list[int]]:
    """Indices of the areas that one style covers, each a region to a method; the background is
    one of its own.
    """
    groups: dict[Hashable, list[int]] = {}
    for index, (area, blend) in enumerate(styles.items()):
        groups.setdefault((area.object == BACKGROUND, blend), []).append(index)
    return list(groups.values())


def to_find(areas: Iterable[Area]) -> list[Area]:
    """Areas that need a mask of their own: all but the background, unless it is alone."""
    areas = list(areas)
    return [area for area in areas if area.object != BACKGROUND] or areas


@dataclass(frozen=True)
class Region:
    """A part of a picture with its styles.

    area:   what it is, in words.
    styles: weights and texts, () where a picture shows the style.
    mask:   float32 (H, W) in [0, 1], 1 = the region.
    """

    area: Area
    styles: Blend
    mask: Tensor


@dataclass(frozen=True)
class StyleTask:
    """One task, ready to be optimised.

    content: picture, float32 (3, H, W) in [0, 1].
    targets: as parsed; those of one object with the same exceptions share a region.
    regions: with soft masks (H, W), 1 = to be stylized, for every method; the masks sum to at
             most 1 in every pixel.
    source_text: describes the content image (CLIPstyler: "a Photo").
    style_image: a picture that shows the style of the first region, (3, h, w) in [0, 1].
    parse_note: remark of the parser that belongs into the record of the run, "" for none.
    segmenter: class that found the masks, "" for masks of files.
    confidence: of the segmenter in the mask of each object, None where it gives none.
    strength: share of the change that is shown, (H, W) in [0, 1], 0 where the photo is transparent;
              None = 1 everywhere.
    alpha: of the photo, (H, W) in [0, 1]; None where it is opaque. The content lies on white.
    """

    content: Tensor
    targets: tuple[StyleTarget, ...]
    regions: tuple[Region, ...]
    source_text: str = "a Photo"
    style_image: Tensor | None = None
    parse_note: str = ""
    segmenter: str = ""
    confidence: Mapping[str, float | None] = field(default_factory=dict)
    strength: Tensor | None = None
    alpha: Tensor | None = None

    def __post_init__(self) -> None:
        if {r.area: r.styles for r in self.regions} != styles_by_area(self.targets):
            raise ValueError("the regions are not those of the targets")
        expected = self.content.shape[1:]
        if wrong := [tuple(r.mask.shape) for r in self.regions if r.mask.shape != expected]:
            raise ValueError(f"a mask has shape {wrong[0]}, not {tuple(expected)}")
        if not 0 <= float(self.masks.min()) <= float(self.masks.sum(0).max()) <= 1 + 1e-5:
            raise ValueError("masks must be in [0, 1] and sum to at most 1 in every pixel")

    @classmethod
    def of(
        cls,
        content: Tensor,
        targets: Sequence[StyleTarget],
        masks: Iterable[Tensor],
        **others: Any,
    ) -> StyleTask:
        """A task whose regions are those of the targets, with one mask (H, W) for each in the order
        of `styles_by_area`; others: further attributes.
        """
        styles = styles_by_area(targets).items()
        regions = tuple(Region(*pair, mask) for pair, mask in zip(styles, masks, strict=True))
        return cls(content, tuple(targets), regions, **others)

    def restyled(self, styles: Mapping[Area, Blend]) -> StyleTask:
        """The same task with other styles of its areas."""
        targets = tuple(
            StyleTarget(area.object, text, weight, area.exceptions)
            for area, blend in styles.items()
            for weight, text in blend or ((1.0, ""),)
        )
        regions = tuple(replace(region, styles=styles[region.area]) for region in self.regions)
        return replace(self, targets=targets, regions=regions)

    @property
    def masks(self) -> Tensor:
        """The masks of the regions, (K, H, W)."""
        import torch

        return torch.stack([region.mask for region in self.regions])

    @property
    def stylized(self) -> Tensor:
        """All regions together, by the strength of the change there, (H, W) in [0, 1]."""
        union = self.masks.sum(0).clamp(max=1)
        return union if self.strength is None else union * self.strength

    def batch(self) -> StyleBatch:
        """The tensors of this task with the batch dimension that networks expect; regions of one
        style are one there.
        """
        import torch

        groups = alike({region.area: region.styles for region in self.regions})
        unions = [self.masks[group].sum(0) for group in groups]
        return StyleBatch(
            content=self.content.unsqueeze(0),
            masks=torch.stack(unions).unsqueeze(0),
            styles=tuple(self.regions[group[0]].styles for group in groups),
            source_text=self.source_text,
            style_image=None if self.style_image is None else self.style_image.unsqueeze(0),
            strength=None if self.strength is None else self.strength[None, None],
        )


@dataclass(frozen=True)
class StyleBatch:
    """Input of a training step: content (1, 3, H, W), masks (1, K, H, W) and K blends of styles.

    style_image: (1, 3, h, w) or None. strength: (1, 1, H, W) in [0, 1], None = 1 everywhere.
    """

    content: Tensor
    masks: Tensor
    styles: tuple[Blend, ...]
    source_text: str
    style_image: Tensor | None = None
    strength: Tensor | None = None

    @property
    def shares(self) -> Tensor:
        """Share of each region in every pixel, (K, H, W), 1 in sum: what no mask covers belongs to
        the first.
        """
        shares = self.masks[0].clone()
        shares[0] = 1 - shares[1:].sum(0)
        return shares

    def to(self, device: torch.device | str) -> StyleBatch:
        """The same batch with its tensors on `device`."""
        values = {entry.name: getattr(self, entry.name) for entry in fields(self)}
        tensors = {name: value for name, value in values.items() if hasattr(value, "to")}
        return replace(self, **{name: tensor.to(device) for name, tensor in tensors.items()})


def check_weights(weights: Sequence[float], of: str) -> None:
    """AtelierError unless all weights are finite and >= 0 and one is greater; `of` names them."""
    if min(weights) < 0 or max(weights) == 0 or not all(w < float("inf") for w in weights):
        raise AtelierError(
            f"{of} are {', '.join(f'{w:g}' for w in weights)}: weights must be 0 or more, and at "
            "least one greater than 0"
        )
