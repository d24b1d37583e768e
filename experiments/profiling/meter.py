"""Meter of a run's steps: times, operations and bytes, next to those of the published loop."""

from __future__ import annotations

from collections.abc import Callable

from lightning import Callback
from torch import Tensor

from experiments.profiling.counters import operations, peak, reset_peak
from experiments.profiling.published_loop import PublishedLoop, places_of
from experiments.profiling.stopwatch import StepObserver, Stopwatch, synchronized_time
from lightning_modules.losses.patch import Rejection, threshold_rejection


class Meter(Callback):
    """Callback that measures each step of a run.

    The first steps are for warming up; the last of these counts operations and bytes. The published
    loop has its turn after each step.

    Args:
        observer: the method's observer, with the run's stopwatch.
        warmup: steps that are not timed, at least 2.
        steps: steps that are timed; on a GPU as many again for the stages.
        published: the published loop, if it is to be measured too.

    Attributes:
        kinds: kind of each step: warmup, count, whole or fine (by stages, on a GPU).
        ours: seconds by stage of each step, by kind.
        theirs: seconds of each step of the published loop.
        peaks, flops: bytes and operations of one step, "ours" and "naive".
        first: losses of the first step by name, "ours" and "naive".
    """

    def __init__(
        self,
        observer: StepObserver,
        warmup: int,
        steps: int,
        published: PublishedLoop | None = None,
    ) -> None:
        self.observer, self.published = observer, published
        again = ["fine"] * steps if self.watch.device.type == "cuda" else []
        self.kinds = ["warmup"] * (warmup - 1) + ["count"] + ["whole"] * steps + again
        self.ours: dict[str, list[dict[str, float]]] = {kind: [] for kind in self.kinds}
        self.theirs: list[float] = []
        self.peaks = {"ours": 0, "naive": 0}
        self.flops = {"ours": 0, "naive": 0}
        self.first: dict[str, dict[str, float]] = {}
        self._running = False

    @property
    def watch(self) -> Stopwatch:
        """The run's stopwatch."""
        return self.observer.watch

    def on_train_batch_start(self, trainer, module, batch, batch_idx) -> None:
        self._close()
        self.kind = self.kinds[batch_idx]
        self.watch.fine = self.kind == "fine"
        self.observer.watching = self.kind != "whole"
        self.counter = operations()
        if self.kind == "count":
            reset_peak(self.watch.device)
            self.counter.__enter__()
        self._running = True
        self.observer.places.clear()
        self.watch.begin()

    def on_train_batch_end(self, trainer, module, outputs, batch, batch_idx) -> None:
        if batch_idx == 0:
            self.first["ours"] = {k: float(v) for k, v in outputs.items() if k != "loss"}

    def on_train_epoch_end(self, trainer, module) -> None:
        self._close()

    def _close(self) -> None:
        """End the running step; then the published loop has its turn."""
        if not self._running:
            return
        self._running = False
        self.ours[self.kind].append(self.watch.end())
        if self.kind == "count":
            self.counter.__exit__(None, None, None)
            self.flops["ours"] = self.counter.get_total_flops()
            self.peaks["ours"] = peak(self.watch.device)
        if self.published and self.kind != "fine":
            self._step_published()

    def _step_published(self) -> None:
        device = self.watch.device
        # In the first step both loops have the same patches, so that their losses can be compared.
        cuts = () if self.first.get("naive") else self.observer.places
        places = [place for cut in cuts for place in places_of(*cut)]
        if self.kind == "count":
            reset_peak(device)
            with operations() as counter:
                self.published.step()
            self.flops["naive"], self.peaks["naive"] = counter.get_total_flops(), peak(device)
            return
        start = synchronized_time(device)
        losses = self.published.step(places)
        seconds = synchronized_time(device) - start
        if places:
            self.first["naive"] = {name: float(loss) for name, loss in losses.items()}
        if self.kind == "whole":
            self.theirs.append(seconds)


def accepting(share: float) -> Callable[[Tensor], Tensor]:
    """Function from losses (N,) to the tau that accepts the highest `share` of them, in [0, 1]."""

    def tau(losses: Tensor) -> Tensor:
        count = round(share * len(losses))
        if not count:
            return losses.new_tensor(float("inf"))
        return losses.detach().topk(count).values[-1]

    return tau


def rejecting(share: float) -> Rejection:
    """Threshold rejection by `accepting(share)` instead of a method's tau."""
    tau = accepting(share)

    def reject(losses: Tensor, _: float | Tensor) -> Tensor:
        return threshold_rejection(losses, tau(losses), reject_below=True)

    return reject
