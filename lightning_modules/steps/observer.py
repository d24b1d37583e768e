"""Hooks by which a step reports what it does; by default nothing listens."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

from torch import Tensor


class Observer:
    """Listener of one method's steps; this one ignores all reports.

    `atelier profile` has one that measures (experiments/profiling/stopwatch.py).

    Attributes:
        watching: whether it must see the parts of the next step, which therefore is no replay.
    """

    watching: bool = False

    def stage(self, name: str) -> AbstractContextManager[None]:
        """Context of a stage: generator, patches, encoder, content_features or logging."""
        return nullcontext()

    def patches(self, boxes: Tensor, corners: Tensor) -> None:
        """Report of patches before they are cut: boxes (N, 3) and corners (N, 4, 2)."""
