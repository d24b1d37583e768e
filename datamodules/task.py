"""The contracts of the data's way: what the parser finds, what the masks add, what a step gets."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import torch
from torch import Tensor


@dataclass(frozen=True)
class StyleTarget:
    """What to stylize, and how: one pair out of an instruction.

    object: the phrase naming the object, "" if the instruction names none.
    style:  the phrase naming the style, "" if the instruction names none.
    weight: share of this style where several meet on one region, > 0.
    """

    object: str
    style: str
    weight: float = 1.0


@dataclass(frozen=True)
class StyleTask:
    """One job, ready to be optimised.

    content: picture, float32 (3, H, W) in [0, 1].
    targets: K objects with their styles.
    masks:   one soft mask a target, float32 (K, H, W) in [0, 1]; 1 = the region to stylize.
    source_text: what the content image is described as (CLIPstyler: "a Photo").
    """

    content: Tensor
    targets: tuple[StyleTarget, ...]
    masks: Tensor
    source_text: str = "a Photo"

    def batch(self) -> StyleBatch:
        """The tensors of this task, with the batch dimension that networks expect."""
        return StyleBatch(
            content=self.content.unsqueeze(0),
            masks=self.masks.unsqueeze(0),
            styles=tuple(target.style for target in self.targets),
            source_text=self.source_text,
        )


@dataclass(frozen=True)
class StyleBatch:
    """What a training step gets: content (1, 3, H, W), masks (1, K, H, W), K style texts."""

    content: Tensor
    masks: Tensor
    styles: tuple[str, ...]
    source_text: str

    def to(self, device: torch.device | str) -> StyleBatch:
        """The same batch with its tensors on `device`."""
        moved = {
            f.name: value.to(device)
            for f in fields(self)
            if isinstance(value := getattr(self, f.name), Tensor)
        }
        return replace(self, **moved)
