"""Counters of floating-point operations and bytes, and the matrix rate of a device."""

from __future__ import annotations

import re
import resource
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch.utils.flop_counter import FlopCounterMode, conv_flop_count

from datamodules.models.allocator import give_back
from experiments.profiling.stopwatch import synchronized_time

CLEAR_REFS, STATUS = Path("/proc/self/clear_refs"), Path("/proc/self/status")


def operations() -> FlopCounterMode:
    """Counter of FLOPs: matrix products, convolutions and attention, forward and backward."""
    return FlopCounterMode(
        display=False, custom_mapping={torch.ops.aten.convolution_backward: _of_gradients}
    )


def _of_gradients(grad_out, x, weight, *settings: Any, out_shape: Any = None, **_: Any) -> int:
    """FLOPs of a convolution's gradients from shapes: as many as forward for the input and for the
    weights each. torch's own count for the weights is too high by the number of groups.
    """
    transposed, needed = settings[4], settings[7][:2]
    return conv_flop_count(x, weight, grad_out, transposed) * sum(needed)


def reset_peak(device: torch.device) -> None:
    """Reset the record of the largest memory, where the system permits it."""
    give_back()
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
    elif CLEAR_REFS.exists():
        try:
            CLEAR_REFS.write_text("5")
        except OSError:  # not permitted everywhere; the peak is then that of the whole process
            return


def peak(device: torch.device) -> int:
    """Largest memory since the reset, in bytes: allocated by torch on a GPU, else resident."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    if STATUS.exists():
        return int(re.search(r"VmHWM:\s+(\d+) kB", STATUS.read_text(encoding="utf-8"))[1]) * 1024
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def matrix_rates(device: torch.device) -> dict[str, float]:
    """FLOP/s of square matrix products by precision, the best of eight."""
    cuda = device.type == "cuda"
    side, kinds = (8192, (torch.float32, torch.bfloat16)) if cuda else (1024, (torch.float32,))
    rates = {}
    for kind in kinds:
        a, b = torch.randn(2, side, side, device=device).to(kind)
        seconds = [_seconds(lambda a=a, b=b: a @ b, device) for _ in range(8)]
        rates[str(kind).removeprefix("torch.")] = 2 * side**3 / min(seconds)
    return rates


def _seconds(work: Callable[[], Any], device: torch.device) -> float:
    start = synchronized_time(device)
    work()
    return synchronized_time(device) - start
