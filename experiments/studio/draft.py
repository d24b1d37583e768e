"""A visitor's request as it grows: photo, objects and styles, the masks that belong to them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from datamodules.support.errors import AtelierError
from datamodules.target_entries import entry_of
from datamodules.task import Area, StyleTarget, styles_by_area, to_find
from experiments.run.order import Order
from experiments.studio.tasks import AreaMask

HEADINGS = ("object", "except", "style", "weight")


@dataclass(frozen=True)
class CurrentMask:
    """The mask of an area as the page shows it.

    file: a picture of mode L with the photo's proportions, 255 = painted in full.
    search: the segmenter's mask that it comes from, None where there is none.
    by_hand: whether a visitor has changed it. blank: whether it began as an empty one, because the
    segmenter did not find the area. key: name of its first form, by which the browser
    knows what it shows; a stroke leaves it as it is. strokes: number of the last stroke.
    """

    file: Path
    search: AreaMask | None = None
    by_hand: bool = False
    blank: bool = False
    key: str = ""
    strokes: int = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "key", self.key or str(self.file))

    @property
    def usable(self) -> bool:
        """Whether there is something to paint with: found, or drawn by hand."""
        return self.by_hand or not self.blank


@dataclass(frozen=True)
class Choices:
    """Settings of the page; None stands for the method's own.

    method: "" is the usual one for the number of styles. models: a preset.
    feather: width of the masks' soft edges, in px of the working picture.
    threshold: of the segmenter, in [0, 1].
    """

    method: str = ""
    models: str | None = None
    steps: int | None = None
    seed: int | None = None
    size: int | None = None
    full_size: int | None = None
    strength: float | None = None
    brush: float | None = None
    feather: float | None = None
    keep_color: bool | None = None
    segmenter: str = "bridge"
    threshold: float | None = None

    @classmethod
    def of(cls, *values: Any) -> Choices:
        """From the values of the page's components in the order above, where 0 stands for None."""
        method, models, steps, seed, size, full, strength, brush, feather, color, *rest = values
        segmenter, threshold = rest
        return cls(
            method or "", models, steps or None, seed, size or None, full, strength, brush or None,
            feather, color or None, segmenter, threshold or None,
        )  # fmt: skip


@dataclass(frozen=True)
class Draft:
    """The request of one tab of a browser.

    Attributes:
        photo: in the session's folder. text: the instruction.
        targets: objects and styles, as read and corrected.
        masks: of each area that has one. segmenter: how they were found: its name and threshold.
        warnings: of the segmenter. run: folder of the last painting.
    """

    photo: Path | None = None
    text: str = ""
    targets: tuple[StyleTarget, ...] = ()
    masks: Mapping[Area, CurrentMask] = field(default_factory=dict)
    segmenter: tuple[str, float | None] = ("", None)
    warnings: tuple[str, ...] = ()
    run: Path | None = None

    @property
    def areas(self) -> list[Area]:
        """Parts of the photo that take a mask, in the order of the targets."""
        return to_find(styles_by_area(self.targets))

    def area(self, label: str | None) -> Area | None:
        """The area with a label, the first one for any other label, None without targets."""
        areas = {area.label: area for area in self.areas}
        return areas.get(label or "", next(iter(areas.values()), None))

    def lacks_masks(self, choices: Choices) -> bool:
        """Whether the segmenter has to look (again) for an area; styles do not matter to it."""
        looked = self.segmenter == (choices.segmenter, choices.threshold)
        return not looked or bool(self.unmasked)

    @property
    def unmasked(self) -> list[Area]:
        """Areas that have no mask to paint with."""
        masks = {area: self.masks.get(area) for area in self.areas}
        return [area for area, mask in masks.items() if not (mask and mask.usable)]

    def without_photo(self) -> Draft:
        """The draft without all that belongs to its photo."""
        return Draft(text=self.text, targets=self.targets)

    def with_masks(
        self, masks: Mapping[Area, CurrentMask], warnings: tuple[str, ...], choices: Choices
    ) -> Draft:
        """The draft with all masks of a search, but those that were changed by hand."""
        own = {area: mask for area, mask in self.masks.items() if mask.by_hand}
        looked = (choices.segmenter, choices.threshold)
        return replace(self, masks={**masks, **own}, warnings=warnings, segmenter=looked)

    def with_mask(self, area: Area, mask: CurrentMask) -> Draft:
        """The draft with another mask of one area."""
        return replace(self, masks={**self.masks, area: mask})

    def renamed(self, area: Area, targets: Sequence[StyleTarget]) -> Draft:
        """The draft with an area by other words: `targets` without styles, which take its own."""
        renamed = tuple(
            replace(new, style=target.style, weight=target.weight)
            for target in self.targets
            for new in (targets if target.area == area else [target])
        )
        return replace(self, targets=renamed)

    def order(self, choices: Choices, folder: Path) -> Order:
        """The order to paint into a folder. Raises AtelierError while something is missing."""
        if self.photo is None:
            raise AtelierError("There is no photo yet; drop one above, or choose an example")
        if not any(target.style for target in self.targets):
            raise AtelierError("No style is named yet; write an instruction or fill in the table")
        options = {
            "image": str(self.photo),
            "targets": [entry_of(target) for target in self.targets],
            "out": str(folder),
            "segmenter": choices.segmenter,
            "no_wandb": True,
            "keep_checkpoint": True,
            **self._mask_options(choices),
        }
        names = ("steps", "seed", "size", "full_size", "strength", "brush", "keep_color")
        options |= {name: getattr(choices, name) for name in names}
        further = {} if choices.feather is None else {"data.feather": choices.feather}
        return Order(options, further, choices.method or None, choices.models)

    def _mask_options(self, choices: Choices) -> dict[str, list[str]]:
        """Masks as files where one is made by hand, or with a threshold that a run may not have;
        otherwise the run finds the same by itself.
        """
        masks = [self.masks[area] for area in self.areas if area in self.masks]
        by_hand, blank = (any(getattr(m, a) for m in masks) for a in ("by_hand", "blank"))
        if choices.threshold is None and not by_hand and not blank:
            return {}
        if self.unmasked:
            raise AtelierError(
                f"{self.unmasked[0].label!r} has no mask yet; find it, or draw it with the brush"
            )
        return {
            "mask": [str(mask.file) for mask in masks],
            "mask_value": ["strength" if mask.by_hand else "" for mask in masks],
        }


def rows_of(targets: Iterable[StyleTarget]) -> list[list[Any]]:
    """Rows of the table that people correct, with the columns of `HEADINGS`."""
    return [[t.object, ", ".join(t.exceptions), t.style, _number(t.weight)] for t in targets]


def _number(value: float) -> str:
    """A weight that reads back as the same."""
    return str(value).removesuffix(".0")


def targets_of(rows: Iterable[Sequence[Any]]) -> tuple[StyleTarget, ...]:
    """Targets of the table; empty rows are left out.

    Raises AtelierError for a weight that is no number of 0 or more.
    """
    return tuple(_target(row) for row in rows if any(str(cell or "").strip() for cell in row[:3]))


def _target(row: Sequence[Any]) -> StyleTarget:
    thing, exceptions, style = (str(cell or "").strip() for cell in row[:3])
    weight = 1.0 if row[3] in (None, "") else row[3]
    try:
        weight = float(weight)
    except (TypeError, ValueError):
        weight = math.nan
    if not 0 <= weight < math.inf:
        raise AtelierError(f"The weight {row[3]!r} is no number of 0 or more; mend it in the table")
    without = tuple(filter(None, (phrase.strip() for phrase in exceptions.split(","))))
    return StyleTarget(thing, style, weight, without)
