"""Median step of one change each: python -m tests.gpu.variants.

A step is the method's own, in a bare loop: losses, backward pass, Adam. Every variant starts from
the same weights and random numbers, on networks of its own, and one that fails gives its reason.
CUDA graphs come late, because a capture that fails can leave the device unusable, and compilation,
which takes long, last.
"""

from __future__ import annotations

import gc
import itertools
import os
import statistics
import time
from collections.abc import Callable
from contextlib import contextmanager
from copy import deepcopy
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from datamodules.task import StyleBatch
from experiments.profiling.counters import peak, reset_peak
from experiments.profiling.stopwatch import synchronized_time
from lightning_modules.stylization import Stylization
from tests.gpu.subject import DEVICE, STEPS, WARMUP, build, write

CUDA = DEVICE.type == "cuda"
Change = Callable[[Stylization], Any]


def encoder_in(kind: torch.dtype) -> Change:
    """The encoder in another format than bfloat16; weights are converted at every call."""
    return lambda method: setattr(method.encoder, "half", kind)


def encoder_without_autocast(method: Stylization) -> None:
    method.encoder._on_gpu_half = lambda: torch.autocast(DEVICE.type, enabled=False)


def stored_in_bfloat16(method: Stylization) -> None:
    """The encoder's large weights in bfloat16, so that no call converts them."""
    method.encoder._on_gpu_half = lambda: torch.autocast(DEVICE.type, torch.bfloat16)
    for layer in method.encoder.network.visual.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear | nn.MultiheadAttention):
            layer.to(torch.bfloat16)


def by_autocast(network: str) -> Change:
    """A network in bfloat16 by autocast, its results in float32 again."""

    def change(method: Stylization) -> None:
        module = getattr(method, network)
        plain = module.forward

        def forward(*inputs: Tensor) -> Any:
            with torch.autocast(DEVICE.type, torch.bfloat16):
                result = plain(*inputs)
            return result.float() if isinstance(result, Tensor) else [x.float() for x in result]

        module.forward = forward

    return change


def layout(network: str, kind: torch.memory_format) -> Change:
    return lambda method: getattr(method, network).to(memory_format=kind)


def compiled(*networks: str) -> Change:
    """Networks compiled for the steps; the few calls without gradients stay as they are."""

    def change(method: Stylization) -> None:
        for name in networks:
            owner = method.encoder.network.visual if name == "encoder" else getattr(method, name)
            owner.forward = _compiled(owner.forward)

    return change


def _compiled(plain: Callable[..., Any]) -> Callable[..., Any]:
    fast = torch.compile(plain, dynamic=False)
    return lambda *inputs: (fast if torch.is_grad_enabled() else plain)(*inputs)


def tf32(method: Stylization) -> None:
    torch.set_float32_matmul_precision("high")


def convolutions_without_tf32(method: Stylization) -> None:
    torch.backends.cudnn.allow_tf32 = False


def tried_kernels(method: Stylization) -> None:
    torch.backends.cudnn.benchmark = True


def fused(method: Stylization) -> None:
    method.optimizer = partial(method.optimizer, fused=True)


ALL_HALF = (by_autocast("generator"), by_autocast("content_features"))
ONLY = os.environ.get("ONLY", "")  # beginning of the names of the variants to time
ALL_COMPILED = compiled("generator", "content_features", "encoder")
VARIANTS: dict[str, tuple[Change, ...]] = {
    "as it is": (),
    "as it is, again": (),
    "encoder in float16": (encoder_in(torch.float16),),
    "encoder in float32": (encoder_without_autocast,),
    "encoder's weights stored in bfloat16": (stored_in_bfloat16,),
    "matrix products in TF32": (tf32,),
    "convolutions without TF32": (convolutions_without_tf32,),
    "cudnn.benchmark": (tried_kernels,),
    "VGG-19 in torch's layout": (layout("content_features", torch.contiguous_format),),
    "StyleNet in channels_last": (layout("generator", torch.channels_last),),
    "VGG-19 in bfloat16": (by_autocast("content_features"),),
    "StyleNet in bfloat16": (by_autocast("generator"),),
    "all in bfloat16": ALL_HALF,
    "all in bfloat16, channels_last, cudnn.benchmark": (
        *ALL_HALF,
        layout("generator", torch.channels_last),
        tried_kernels,
    ),
    "fused Adam": (fused,),
    "CUDA graph": (),
    "CUDA graph, fused Adam": (fused,),
    "CUDA graph, encoder's weights stored in bfloat16": (stored_in_bfloat16,),
    "CUDA graph, encoder in float16": (encoder_in(torch.float16),),
    "CUDA graph, cudnn.benchmark": (tried_kernels,),
    "CUDA graph, StyleNet in channels_last": (layout("generator", torch.channels_last),),
    "CUDA graph, VGG-19 in bfloat16": (by_autocast("content_features"),),
    "CUDA graph, StyleNet in bfloat16": (by_autocast("generator"),),
    "CUDA graph, fused Adam, encoder's weights stored, cudnn.benchmark": (
        fused,
        stored_in_bfloat16,
        tried_kernels,
    ),
    "CUDA graph, all in bfloat16, weights stored so, cudnn.benchmark": (
        *ALL_HALF,
        stored_in_bfloat16,
        tried_kernels,
    ),
    "compiled StyleNet": (compiled("generator"),),
    "compiled networks": (ALL_COMPILED,),
    "CUDA graph, compiled networks": (ALL_COMPILED,),
}


@contextmanager
def settings_restored():
    """Context after which the process has torch's own settings again."""
    try:
        yield
    finally:
        torch.set_float32_matmul_precision("highest")
        torch.backends.cudnn.allow_tf32, torch.backends.cudnn.benchmark = True, False


class Loop:
    """The bare loop of a method on a batch; capturable: with Adam's counter on the device."""

    def __init__(self, method: Stylization, batch: StyleBatch, capturable: bool = False) -> None:
        self.method, self.batch = method, batch
        with torch.no_grad():
            method.prepare(batch)
        weights = [weight for weight in method.generator.parameters() if weight.requires_grad]
        self.optimizer = method.optimizer([{"params": weights}])
        for group in self.optimizer.param_groups:
            group["capturable"] = capturable

    def step(self) -> Tensor:
        """One step; its loss, a scalar on the device."""
        loss = self.method.step(self.batch)["loss"]
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        return loss.detach()

    def captured(self) -> Callable[[], None]:
        """The step as a CUDA graph's replay, after some steps on a stream of its own."""
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            for _ in range(WARMUP):
                self.step()
        torch.cuda.current_stream().wait_stream(stream)
        graph = torch.cuda.CUDAGraph()
        graph.register_generator_state(self.method.random)
        with torch.cuda.graph(graph):
            self.step()
        return graph.replay


def median_step(step: Callable[[], Any]) -> float:
    """Seconds of the median step of a queue; on a GPU between events, without waiting."""
    for _ in range(WARMUP):
        step()
    synchronized_time(DEVICE)
    if not CUDA:
        marks = [time.perf_counter()]
        for _ in range(STEPS):
            step()
            marks.append(time.perf_counter())
        return statistics.median(b - a for a, b in itertools.pairwise(marks))
    events = [torch.cuda.Event(enable_timing=True) for _ in range(STEPS + 1)]
    events[0].record()
    for event in events[1:]:
        step()
        event.record()
    torch.cuda.synchronize()
    pairs = itertools.pairwise(events)
    return statistics.median(a.elapsed_time(b) for a, b in pairs) / 1e3


def figure(
    method: Stylization, batch: StyleBatch, changes: tuple[Change, ...], graph: bool
) -> dict[str, Any]:
    """First loss, seconds of the median step and peak memory of one variant."""
    gc.collect()  # the networks of the variant before this one
    start, method = time.perf_counter(), deepcopy(method)
    with settings_restored():
        for change in changes:
            change(method)
        loop = Loop(method, batch, capturable=graph)
        first = float(loop.step())
        reset_peak(DEVICE)
        step = loop.captured() if graph else loop.step
        seconds = median_step(step)
    return {
        "seconds": seconds,
        "peak_bytes": peak(DEVICE),
        "first_loss": first,
        "took": time.perf_counter() - start,
    }


def main() -> None:
    cli, figures = build(), {}
    method, batch = cli.model.to(DEVICE), cli.datamodule.task.batch().to(DEVICE)
    for name, changes in VARIANTS.items():
        if not name.startswith(ONLY):
            continue
        graph = name.startswith("CUDA graph")
        if graph and not CUDA:
            figures[name] = {"error": "needs a GPU"}
            continue
        try:
            figures[name] = figure(method, batch, changes, graph)
        except Exception as error:  # whatever it is, the others follow
            figures[name] = {"error": f"{type(error).__name__}: {error}"[:500]}
        write({"variants": figures})


if __name__ == "__main__":
    main()
