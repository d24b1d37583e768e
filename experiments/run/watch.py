"""Hooks of a stylization, by which its caller follows it, and ends it early."""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL import Image

    from lightning_modules.callbacks import WriteRun


@dataclass(frozen=True)
class Progress:
    """A run on its way.

    step, steps: done so far, and of the whole run.
    rows: losses by name of each step since the last report, `total` first.
    picture: the output so far at the working size, RGB, or RGBA where the photo is transparent.
    seconds_left: by the steps since the first, which is slow; None until there are two.
    """

    step: int
    steps: int
    rows: Sequence[Mapping[str, float]]
    picture: Image.Image
    seconds_left: float | None


class Watch:
    """Hooks; each does nothing unless a subclass overrides it.

    every: seconds from one call of `on_progress` to the next, at least; infinite = there is none.
    """

    every: float = math.inf

    def on_method(self, name: str) -> None:
        """The method with this class takes the place of the usual one: there are several styles."""

    def on_start(self, run: WriteRun, needed: int) -> None:
        """The first step comes next. needed: bytes that the steps take beside the networks."""

    def on_resume(self, step: int) -> None:
        """The run goes on from a checkpoint after so many steps."""

    def on_progress(self, progress: Progress) -> None:
        """Report after the first step, then every so often, and after the last step.

        A method in one pass, without steps, is reported once: when it has painted.
        """

    def stop_asked(self) -> bool:
        """Whether the run ends after this step, as a finished one with the steps so far."""
        return False


class Speaker(Watch):
    """Lines on stderr, before the time is spent."""

    def on_method(self, name: str) -> None:
        print(f"method   {name}, because several styles are asked for", file=sys.stderr)

    def on_start(self, run: WriteRun, needed: int) -> None:
        from datamodules.parsing.blend import in_words
        from datamodules.segmentation.base import mask_line

        for region in run.task.regions:
            whole = "the whole picture" if bool((region.mask > 0.5).all()) else "(none named)"
            print(f"object   {region.area.name or whole}", file=sys.stderr)
            style = in_words(region.styles) if region.styles else "(not in words)"
            print(f"style    {style}", file=sys.stderr)
            phrases = (region.area.object, *region.area.exceptions)
            confidence = [run.task.confidence.get(phrase) for phrase in phrases]
            print(mask_line(region.mask, confidence, run.task.segmenter), file=sys.stderr)
        print(f"memory   about {needed / 1e9:.1f} GB beside the networks", file=sys.stderr)

    def on_resume(self, step: int) -> None:
        print(f"goes on  from step {step}", file=sys.stderr)
