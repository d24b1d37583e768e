"""Schedules of the learning rate."""

from types import SimpleNamespace

import pytest
import torch

from datamodules.support.errors import AtelierError
from lightning_modules.clipstyler import CLIPstyler
from lightning_modules.optimizers.schedules import Hyperbolic, Linear
from tests.support.methods import adam, build_tiny


@pytest.mark.parametrize("early", [False, True])
def test_the_learning_rate_halves_every_hundred_steps_or_one_early(early):
    method = build_tiny(CLIPstyler, mode="reference" if early else "paper", optimizer=adam(1.0))
    method.trainer = trainer = SimpleNamespace(max_steps=200)
    parts = method.configure_optimizers()
    optimizer, schedule = parts["optimizer"], parts["lr_scheduler"]["scheduler"]
    rates = []
    for _ in range(201):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()
    halved = [step for step in range(1, 201) if rates[step] < rates[step - 1]]
    assert halved == ([99, 199] if early else [100, 200])
    assert trainer.max_steps == optimizer.param_groups[0]["steps"]


def test_the_rate_rises_and_falls_in_lines():
    method = build_tiny(CLIPstyler, optimizer=adam(2.0), lr_scheduler=Linear)
    method.trainer = trainer = SimpleNamespace(max_steps=100)
    parts = method.configure_optimizers()
    optimizer, schedule = parts["optimizer"], parts["lr_scheduler"]["scheduler"]
    rates = []
    for _ in range(100):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()
    assert len(rates) == trainer.max_steps
    assert rates[:3] == pytest.approx([0.2, 0.4, 0.6])
    assert rates[9:11] == pytest.approx([2.0] * 2)
    assert rates[55] == pytest.approx(1.0)  # half way down
    assert rates[99] == pytest.approx(2.0 / 90)


def test_the_rate_of_the_fast_mode_falls_as_a_hyperbola():
    optimizer = adam(1e-4)([torch.zeros(1, requires_grad=True)])
    schedule = Hyperbolic(optimizer)
    for step in range(1, 201):
        optimizer.step()
        schedule.step()
        assert optimizer.param_groups[0]["lr"] == pytest.approx(1e-4 / (1 + 5e-5 * step))
    with pytest.raises(AtelierError, match=r"give --model\.lr_scheduler\.decay 0 or more"):
        Hyperbolic(optimizer, decay=-1)
