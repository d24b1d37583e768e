"""Metrics of pictures: a batch of finished pictures in, one number per picture out."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor
from torchmetrics import Metric
from torchmetrics.utilities import dim_zero_cat

from datamodules.support.errors import AtelierError
from datamodules.task import Area, Region
from evaluation.metrics.scores import Score

UNDEFINED = math.nan  # of a picture to which a score does not apply; null in JSON, "-" in tables


@dataclass(frozen=True)
class Pictures:
    """N finished pictures of one size, and the task of each.

    content, output: (N, 3, H, W) in [0, 1], before and after.
    mask:        (N, H, W) in [0, 1], 1 = was to be stylized; all regions together.
    objects:     (N, H, W) in [0, 1], what the background lies around: the mask, or of a picture
                 that was stylized as a whole the object that it names, where its mask is known.
    regions:     of each picture, the background (if it has a style) last.
    source_text: describes the content images (CLIPstyler: "a Photo").
    encoder:     identity of the encoder that was optimised, "" if unknown; one for all N.
    course:      of each picture the intermediate ones: (3, H, W) by step.
    """

    content: Tensor
    output: Tensor
    mask: Tensor
    regions: tuple[tuple[Region, ...], ...] = ()
    source_text: str = "a Photo"
    encoder: str = ""
    course: tuple[Mapping[int, Tensor], ...] = ()
    objects: Tensor | None = None

    def __post_init__(self) -> None:
        if not self.regions:
            whole = ((Region(Area(""), (), mask),) for mask in self.mask)
            object.__setattr__(self, "regions", tuple(whole))
        if self.objects is None:
            object.__setattr__(self, "objects", self.mask)
        expected = (len(self.content), *self.content.shape[2:])
        if self.output.shape != self.content.shape or tuple(self.mask.shape) != expected:
            raise ValueError(
                f"content {tuple(self.content.shape)}, output {tuple(self.output.shape)} and mask "
                f"{tuple(self.mask.shape)} do not belong together"
            )
        for name in ("content", "output", "mask"):
            values = getattr(self, name)
            if not (values.isfinite().all() and values.min() >= 0 and values.max() <= 1):
                raise ValueError(f"{name} has values that are no numbers in [0, 1]")

    def __len__(self) -> int:
        return len(self.content)


class PictureMetric(Metric, ABC):
    """A metric with one or several scores that are computed together.

    `metric(pictures)` returns (N,) values per score, UNDEFINED where one does not apply, and
    `compute()` those of all pictures so far, in their order: as torchmetrics does with
    reduction="none" (and it makes a scalar of a single value). Networks are passed to the
    constructor.

    Numbers of two networks never share a name: where the network can be chosen, its identity ends
    the score's name, as in "style_patch.bridge-lite2".

    Attributes:
        scores: meaning of each number by its name, without the network's.
        network: identity of the network that can be chosen, "" if there is no such choice.
        over_seeds: whether the N pictures must be one picture made with N seeds.
        reads_course: whether intermediate pictures are needed.
        reads_objects: whether a background is measured that lies around the object.
    """

    full_state_update = False
    is_differentiable = False
    scores: ClassVar[dict[str, Score]]
    over_seeds: ClassVar[bool] = False
    reads_course: ClassVar[bool] = False
    reads_objects: ClassVar[bool] = False

    def __init_subclass__(cls, **options: object) -> None:
        super().__init_subclass__(**options)
        directions = {score.higher_is_better for score in getattr(cls, "scores", {}).values()}
        cls.higher_is_better = directions.pop() if len(directions) == 1 else None

    def __init__(self, network: str = "") -> None:
        super().__init__()
        self.network = network
        for name in self.scores:
            self.add_state(name, default=[], dist_reduce_fx="cat")

    @abstractmethod
    def score(self, pictures: Pictures) -> dict[str, Tensor]:
        """(N,) values of every score in `scores`."""

    @torch.no_grad()
    def update(self, pictures: Pictures) -> None:
        """Add the scores of some pictures."""
        values = self.score(pictures)
        self._check(values, len(pictures))
        for name in self.scores:
            getattr(self, name).append(values[name])

    def _check(self, values: object, count: int) -> None:
        """AtelierError unless `score` has returned what it is to return."""
        whose = f"score of {type(self).__name__}"
        if not isinstance(values, dict) or values.keys() != self.scores.keys():
            names = sorted(values) if isinstance(values, dict) else f"a {type(values).__name__}"
            raise AtelierError(f"{whose} returns {names}; return a value per {sorted(self.scores)}")
        for name, value in values.items():
            if not isinstance(value, Tensor) or value.shape != (count,):
                shape = tuple(value.shape) if isinstance(value, Tensor) else type(value).__name__
                raise AtelierError(f"{whose} gives {name} as {shape}; give a tensor ({count},)")

    def compute(self) -> dict[str, Tensor]:
        """The scores of all pictures so far, by the names of `column`."""
        return {self.column(name): dim_zero_cat(getattr(self, name)) for name in self.scores}

    def applies(self, score: str, pictures: Pictures) -> bool:
        """Whether a score can have a value for these pictures; if not, it is left out, not null."""
        return True

    def column(self, score: str) -> str:
        """A score's name in tables and files."""
        return f"{score}.{self.network}" if self.network else score
