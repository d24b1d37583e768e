"""The optimisation of one picture."""

from types import SimpleNamespace

import pytest
import torch

from datamodules.support.errors import AtelierError
from lightning_modules.steps.blending import Blending
from tests.support.methods import batch_of, descend, optimise
from tests.support.soulstyler import soulstyler


@pytest.fixture
def middle(content):
    """A mask (64, 96): 1 in the middle."""
    mask = torch.zeros(content.shape[1:])
    mask[16:48, 24:72] = 1
    return mask


def test_the_object_takes_the_style_and_the_background_stays(content, middle):
    method, batch = soulstyler(), batch_of(content, [middle], "fire")
    history = descend(method, batch, steps=25)
    output = method.stylize(batch)[0].detach()
    assert torch.equal(output[:, middle == 0], content[:, middle == 0])
    assert (output - content)[:, middle == 1].abs().mean() > 0.05
    assert history[-1]["patch"] < history[0]["patch"] - 0.02


def test_a_mask_of_nothing_changes_nothing(content, middle):
    method = soulstyler()
    output = method(batch_of(content, [torch.zeros_like(middle)], "fire"))
    assert torch.equal(output[0], content)
    with pytest.raises(AtelierError, match="too small or thin"):
        method.prepare(batch_of(content, [torch.zeros_like(middle)], "fire"))


def test_without_composite_the_whole_picture_is_the_generators(content, middle):
    method = soulstyler(blending=Blending())
    batch = batch_of(content, [middle], "fire")
    assert torch.equal(method(batch), method.generator(batch.content))


def test_gradients_flow_to_the_generator_only(content, middle):
    method = soulstyler()
    batch = batch_of(content, [middle], "fire")
    method.prepare(batch)
    method.training_step(batch, 0)["loss"].backward()
    assert all(p.grad is not None for p in method.generator.parameters())
    frozen = [*method.encoder.parameters(), *method.content_features.parameters()]
    assert frozen
    assert all(p.grad is None and not p.requires_grad for p in frozen)
    method.trainer = trainer = SimpleNamespace(max_steps=1)
    optimizer = method.configure_optimizers()["optimizer"]
    assert optimizer.param_groups[0]["steps"] == trainer.max_steps
    optimised = {id(p) for group in optimizer.param_groups for p in group["params"]}
    assert optimised == {id(p) for p in method.generator.parameters()}


def test_missing_and_surplus_weights_are_said(content, middle):
    method = soulstyler(weights={"patch": 1.0})
    with pytest.raises(AtelierError, match="exactly one weight"):
        optimise(method, batch_of(content, [middle], "fire"), steps=1)
