"""Clocks, counters and switches around a run, for `atelier profile`; the run itself stays as it is.

Stages are exclusive: while the encoder works within the losses, the time is the encoder's. On a GPU
steps are timed twice, whole ones first and then, with the device awaited around every stage, the
stages, since waiting costs time of its own.
"""

from __future__ import annotations

import re
import resource
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from lightning import Callback
from lightning.pytorch.profilers import PassThroughProfiler
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode, conv_flop_count

from datamodules.models.allocator import give_back
from lightning_modules import stylization
from lightning_modules.losses.patch import threshold_rejection
from lightning_modules.steps.patches import cut
from lightning_modules.stylization import Stylization

if TYPE_CHECKING:
    from experiments.profiling.published_loop import Naive

STAGES = (
    "generator",
    "content_features",
    "patches",
    "encoder",
    "losses",  # the formulas, and what else training_step does
    "backward",
    "optimizer",  # with zero_grad and the scheduler
    "logging",  # log_dict, the run folder, the progress bar
    "rest",  # Lightning's loop
)
# What Lightning calls its actions, by owner and hook.
ACTIONS = {
    ("Strategy", "training_step"): "losses",
    ("Strategy", "backward"): "backward",
    ("LightningModule", "optimizer_step"): "optimizer",
    ("LightningModule", "optimizer_zero_grad"): "optimizer",
    ("LightningModule", "lr_scheduler_step"): "optimizer",
    ("Callback", "on_train_batch_end"): "logging",
}


class Stopwatch(PassThroughProfiler):
    """Seconds by stage, each with what is nested in it taken out; a profiler of Lightning's.

    Attributes:
        fine: wait for a GPU whenever the stage changes, not only around whole steps.
    """

    def __init__(self, device: torch.device) -> None:
        super().__init__()
        self.device, self.fine = device, False
        self._nested: list[str] = []

    def begin(self) -> None:
        """A step begins."""
        self.seconds = dict.fromkeys(STAGES, 0.0)
        self._nested = ["rest"]
        self._mark = awaited(self.device)

    def end(self) -> dict[str, float]:
        """The step ends: seconds by stage, which sum to the step's."""
        self._charge(wait=True)
        self._nested = []
        return self.seconds

    def start(self, action_name: str) -> None:
        if stage := _stage(action_name):
            self._enter(stage)

    def stop(self, action_name: str) -> None:
        if _stage(action_name):
            self._leave()

    def timed(self, stage: str, function: Callable) -> Callable:
        """The function, its time charged to a stage."""

        def call(*args: Any, **kwargs: Any) -> Any:
            self._enter(stage)
            try:
                return function(*args, **kwargs)
            finally:
                self._leave()

        return call

    def _enter(self, stage: str) -> None:
        if self._nested:
            self._charge(wait=self.fine)
            self._nested.append(stage)

    def _leave(self) -> None:
        if self._nested:
            self._charge(wait=self.fine)
            self._nested.pop()

    def _charge(self, wait: bool) -> None:
        now = awaited(self.device) if wait else time.perf_counter()
        self.seconds[self._nested[-1]] += now - self._mark
        self._mark = now


def awaited(device: torch.device) -> float:
    """Seconds of the clock once the device has done its work."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter()


def _stage(action: str) -> str | None:
    found = re.fullmatch(r"\[(\w+)\].*\.(\w+)", action)
    return ACTIONS.get(found.groups()) if found else None


@contextmanager
def attached(watch: Stopwatch, method: Stylization, cuts: list) -> Iterator[None]:
    """The watch on a method's parts, meanwhile.

    cuts: gets the boxes and corners of the patches, in the order in which they are cut.
    """
    parts = [
        ("generator", method.generator, "forward"),
        ("content_features", method.content_features, "forward"),
        ("content_features", method.style_features, "forward"),
        ("encoder", method.encoder, "embed_images"),
        ("encoder", method.encoder, "view"),
        ("logging", method, "log_dict"),
    ]

    def noted(image: Tensor, boxes: Tensor, corners: Tensor, side: int, size: int) -> Tensor:
        cuts.append((boxes, corners))
        return cut(image, boxes, corners, side, size)

    with ExitStack() as stack:
        for stage, owner, name in parts:
            if owner is not None:
                timed = watch.timed(stage, getattr(owner, name))
                stack.enter_context(replaced(owner, name, timed))
        stack.enter_context(replaced(stylization, "cut", watch.timed("patches", noted)))
        yield


@contextmanager
def replaced(owner: Any, name: str, value: Any) -> Iterator[None]:
    """An object's or a module's attribute is `value`, meanwhile."""
    own = vars(owner).get(name)  # None: it is the class's
    setattr(owner, name, value)
    try:
        yield
    finally:
        delattr(owner, name) if own is None else setattr(owner, name, own)


def accepting(share: float) -> Callable[[Tensor], Tensor]:
    """Losses (N,) to the tau below which all but `share` of them, the highest ones, lie."""

    def tau(losses: Tensor) -> Tensor:
        count = round(share * len(losses))
        if not count:
            return losses.new_tensor(float("inf"))
        return losses.detach().topk(count).values[-1]

    return tau


def rejecting(share: float) -> Callable[[Tensor, float | Tensor], Tensor]:
    """Threshold rejection by `accepting(share)` instead of the method's tau."""
    tau = accepting(share)

    def reject(losses: Tensor, _: float | Tensor) -> Tensor:
        return threshold_rejection(losses, tau(losses), reject_below=True)

    return reject


class Meter(Callback):
    """Times a run's steps: first some to warm up, then those that count.

    The last step of the warm-up counts operations and bytes. A naive loop has its turn after each
    step.

    Args:
        watch: the run's profiler.
        warmup: steps that are not timed, at least 2: the first one prepares.
        steps: steps that are timed; on a GPU as many again for the stages.
        naive: the published loop, if it is to be timed too.
        cuts: boxes and corners of a step's patches; emptied before each.
    """

    def __init__(
        self,
        watch: Stopwatch,
        warmup: int,
        steps: int,
        naive: Naive | None,
        cuts: list,
    ) -> None:
        self.watch, self.naive, self.cuts = watch, naive, cuts
        again = ["fine"] * steps if watch.device.type == "cuda" else []
        self.kinds = ["warmup"] * (warmup - 1) + ["count"] + ["whole"] * steps + again
        self.ours: dict[str, list[dict[str, float]]] = {kind: [] for kind in self.kinds}
        self.theirs: list[float] = []  # seconds
        self.peaks = {"ours": 0, "naive": 0}  # bytes
        self.flops = {"ours": 0, "naive": 0}
        self.first: dict[str, dict[str, float]] = {}  # losses of the first step
        self._running = False

    def on_train_batch_start(self, trainer, module, batch, batch_idx) -> None:
        self._close()
        self.kind = self.kinds[batch_idx]
        self.watch.fine = self.kind == "fine"
        self.counter = operations()
        if self.kind == "count":
            reset_peak(self.watch.device)
            self.counter.__enter__()
        self._running = True
        self.cuts.clear()
        self.watch.begin()

    def on_train_batch_end(self, trainer, module, outputs, batch, batch_idx) -> None:
        if batch_idx == 0:
            self.first["ours"] = {k: float(v) for k, v in outputs.items() if k != "loss"}

    def on_train_epoch_end(self, trainer, module) -> None:
        self._close()

    def _close(self) -> None:
        """The step that is running ends, and the naive loop has its turn."""
        if not self._running:
            return
        self._running = False
        self.ours[self.kind].append(self.watch.end())
        if self.kind == "count":
            self.counter.__exit__(None, None, None)
            self.flops["ours"] = self.counter.get_total_flops()
            self.peaks["ours"] = peak(self.watch.device)
        if self.naive and self.kind != "fine":
            self._step_naive()

    def _step_naive(self) -> None:
        from experiments.profiling.published_loop import places_of

        device = self.watch.device
        cuts = () if self.first.get("naive") else self.cuts
        places = [place for cut in cuts for place in places_of(*cut)]
        if self.kind == "count":
            reset_peak(device)
            with operations() as counter:
                self.naive.step()
            self.flops["naive"], self.peaks["naive"] = counter.get_total_flops(), peak(device)
            return
        start = awaited(device)
        losses = self.naive.step(places)
        seconds = awaited(device) - start
        if places:
            self.first["naive"] = {name: float(loss) for name, loss in losses.items()}
        if self.kind == "whole":
            self.theirs.append(seconds)


def operations() -> FlopCounterMode:
    """Counts FLOPs of matrix products, convolutions and attention, forward and backward."""
    return FlopCounterMode(
        display=False, custom_mapping={torch.ops.aten.convolution_backward: _of_gradients}
    )


def _of_gradients(grad_out, x, weight, *settings: Any, out_shape: Any = None, **_: Any) -> int:
    """FLOPs of a convolution's gradients from shapes: for each of input and weights as many as
    forward. torch's own count is too high by the number of groups for the weights'.
    """
    transposed, wanted = settings[4], settings[7][:2]
    return conv_flop_count(x, weight, grad_out, transposed) * sum(wanted)


def reset_peak(device: torch.device) -> None:
    """Forget the largest memory so far, where that can be done."""
    give_back()
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
    elif Path("/proc/self/clear_refs").exists():
        try:
            Path("/proc/self/clear_refs").write_text("5")
        except OSError:  # not everywhere permitted; the peak is then the process's
            return


def peak(device: torch.device) -> int:
    """Bytes: a GPU's allocated by torch, elsewhere the process's resident, at most since reset."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    if Path("/proc/self/status").exists():
        status = Path("/proc/self/status").read_text(encoding="utf-8")
        return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) * 1024
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def matrix_rates(device: torch.device) -> dict[str, float]:
    """FLOP/s that square matrix products reach, by precision: the best of a few."""
    cuda = device.type == "cuda"
    side, kinds = (8192, (torch.float32, torch.bfloat16)) if cuda else (1024, (torch.float32,))
    rates = {}
    for kind in kinds:
        a, b = torch.randn(2, side, side, device=device).to(kind)
        seconds = [_seconds(lambda a=a, b=b: a @ b, device) for _ in range(8)]
        rates[str(kind).removeprefix("torch.")] = 2 * side**3 / min(seconds)
    return rates


def _seconds(work: Callable[[], Any], device: torch.device) -> float:
    start = awaited(device)
    work()
    return awaited(device) - start
