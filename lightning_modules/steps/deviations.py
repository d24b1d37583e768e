"""Deviations of the papers' published codes from their formulas, one boolean switch each."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Literal, Self

Mode = Literal["paper", "reference"]


@dataclass(frozen=True)
class Deviations:
    """Deviations that the codes of CLIPstyler and its three successors share.

    Every switch is off for the paper's formula and on for the published code; None leaves it to
    `mode`. Methods with deviations of their own extend this class, and set a switch to False where
    their code follows the paper. Deviations of the networks and of the data are settings of those
    parts in configs/models/reference.yaml. docs/fidelity.md lists all of them.

    Args:
        tv_norms: total variation is a sum of four L2 norms instead of squared differences.
        reject_below: threshold rejection drops s < tau instead of s <= tau.
        early_halving: the learning rate halves one step early, at steps 99, 199, ...
        extra_step: one step more than `trainer.max_steps` is taken.
        raw_text_average: the embeddings of a text's prompts are averaged as the network gives
            them, instead of as unit vectors.
        aliased_view: the whole picture is resized for the encoder without antialiasing.
        stretched_contrast: after its contrast is raised, output_enhanced.png is stretched until its
            smallest value is 0 and its largest 255.
    """

    tv_norms: bool | None = None
    reject_below: bool | None = None
    early_halving: bool | None = None
    extra_step: bool | None = None
    raw_text_average: bool | None = None
    aliased_view: bool | None = None
    stretched_contrast: bool | None = None

    def completed(self, mode: Mode) -> Self:
        """The same switches, those left open set by `mode`: paper = off, reference = on."""
        switches = {field.name: getattr(self, field.name) for field in fields(self)}
        open_ones = [name for name, value in switches.items() if value is None]
        return replace(self, **dict.fromkeys(open_ones, mode == "reference"))
