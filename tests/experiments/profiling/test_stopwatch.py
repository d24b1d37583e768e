"""Seconds by stage, and operations."""

import itertools

import pytest
import torch
from torch import nn

from experiments.profiling import stopwatch
from experiments.profiling.counters import operations
from experiments.profiling.meter import Meter
from experiments.profiling.stopwatch import STAGES, StepObserver, Stopwatch


def test_stages_are_exclusive_and_sum_to_the_step(monkeypatch):
    """A clock that goes on by 1 at each look."""
    ticks = itertools.count()
    monkeypatch.setattr(stopwatch.time, "perf_counter", lambda: next(ticks))
    watch = Stopwatch(torch.device("cpu"))

    def encode():
        with watch.stage("encoder"), watch.stage("patches"):
            pass

    encode()  # before the first step: no matter
    watch.begin()
    with watch.profile("[Strategy]SingleDeviceStrategy.training_step"):
        encode()
        with watch.profile("[Strategy]SingleDeviceStrategy.batch_to_device"):
            pass
    with watch.profile("[Callback]WriteRun{'a': 1.0}.on_train_batch_end"):
        pass
    seconds = watch.end()
    counted = {"losses": 2, "encoder": 2, "patches": 1, "logging": 1, "rest": 3}
    assert seconds == dict.fromkeys(STAGES, 0.0) | counted


@pytest.mark.parametrize(("fine", "waits"), [(False, 2), (True, 6)])
def test_a_gpu_is_awaited_around_steps_and_where_asked_around_stages(monkeypatch, fine, waits):
    waited = []
    monkeypatch.setattr(torch.cuda, "synchronize", waited.append)
    watch = Stopwatch(torch.device("cuda", 0))
    watch.fine = fine
    watch.begin()
    with watch.stage("losses"), watch.stage("encoder"):
        pass
    watch.end()
    assert len(waited) == waits


def test_on_a_gpu_whole_steps_and_stages_are_timed_apart():
    cuda, cpu = (StepObserver(Stopwatch(torch.device(name))) for name in ("cuda", "cpu"))
    assert Meter(cpu, 3, 2).kinds == ["warmup"] * 2 + ["count"] + ["whole"] * 2
    assert Meter(cuda, 2, 2).kinds == ["warmup", "count", *["whole"] * 2, *["fine"] * 2]


@pytest.mark.parametrize("groups", [1, 8])
def test_operations_of_a_convolution_forward_and_backward(groups):
    convolution, x = nn.Conv2d(8, 16, 3, groups=groups), torch.rand(2, 8, 12, 12)
    products = 2 * 16 * 10 * 10 * (8 // groups) * 9
    for x_too, factor in ((False, 2), (True, 3)):  # forward, weights, input
        with operations() as counter:
            convolution(x.requires_grad_(x_too)).sum().backward()
        assert counter.get_total_flops() == factor * 2 * products


def test_operations_of_a_matrix_product():
    with operations() as counter:
        torch.rand(3, 5) @ torch.rand(5, 7)
    assert counter.get_total_flops() == 2 * 3 * 5 * 7
