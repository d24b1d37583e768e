"""Runs that are optimised together: each ends as it does alone."""

import traceback
from dataclasses import replace
from functools import partial
from inspect import signature
from itertools import repeat

import pytest
import torch
from lightning import LightningDataModule, Trainer
from torch.utils._python_dispatch import TorchDispatchMode

from datamodules.stylization import StylizationDataModule
from lightning_modules.clipstyler import CLIPstyler
from lightning_modules.fusion import Fusion
from lightning_modules.gatys import Gatys
from lightning_modules.generators.base import paint
from lightning_modules.generators.pixels import Pixels
from lightning_modules.generators.small_unet import SmallUNet
from lightning_modules.generators.stylenet import StyleNet
from lightning_modules.optimizers.schedules import Halving, Linear
from lightning_modules.optimizers.soap import Soap
from lightning_modules.perceptual.efficientnet import EfficientNetFeatures
from lightning_modules.sem_cs import SemCS
from lightning_modules.soulstyler import Soulstyler
from lightning_modules.steps.blending import Blending
from lightning_modules.steps.deviations import Deviations
from lightning_modules.steps.joint import JointStylization, joint_step
from lightning_modules.steps.patches import Patches
from lightning_modules.steps.shared_settings import SHARED_SETTINGS
from lightning_modules.stylization import Stylization
from tests.support.methods import Bridge, adam, batch_of, build, build_tiny
from tests.support.tiny import TinyFeatures

STEPS = 3
SETTINGS = signature(Stylization).parameters.keys()


def sgd(lr):
    return partial(torch.optim.SGD, lr=lr)


class OneBatch(StylizationDataModule):
    """A batch as it is, for generators that have begun already."""

    def __init__(self, batch):
        LightningDataModule.__init__(self)
        self.batch = batch

    def setup(self, stage=None):
        pass

    def train_dataloader(self):
        return repeat(self.batch)

    def transfer_batch_to_device(self, batch, device, dataloader_idx):
        return batch


def prepare(runs, batches):
    for run, batch in zip(runs, batches, strict=True):
        run.prepare(batch)


def fitted(module, batch):
    quiet = {"logger": False, "enable_checkpointing": False, "enable_progress_bar": False}
    trainer = Trainer(
        max_steps=STEPS, accelerator="cpu", devices=1, enable_model_summary=False, **quiet
    )
    module.begun = True
    trainer.fit(module, datamodule=OneBatch(batch))
    assert trainer.global_step == STEPS
    return module


@pytest.fixture
def runs(content, left):
    """A function that builds five runs of unlike methods and settings, with their batches.

    All of them have the same two networks, or those of another function that builds a method.
    """
    real = partial(build, encoder=Bridge(), content_features=EfficientNetFeatures())
    batches = [
        batch_of(content, [left], "fire"),
        batch_of(content, [torch.ones_like(left)], "mosaic"),
        batch_of(content, [left, 1 - left], "fire", "a frozen lake"),
        batch_of(content[:, :, :72].contiguous(), [left[:, :72]], "gold"),  # another size
        batch_of(content, [left], "water"),
    ]

    no_extra_step = Deviations(extra_step=False)

    composite = Blending(composite=True, keep_color=True)

    def make(build=real):
        torch.manual_seed(0)
        methods = [
            build(Soulstyler, blending=Blending(), pool=40, optimizer=adam(5e-4)),
            build(CLIPstyler, optimizer=adam(1e-3), mode="reference", deviations=no_extra_step),
            build(SemCS, lr_scheduler=Linear, optimizer=adam(5e-4, betas=(0.5, 0.9))),
            build(Fusion, blending=composite, optimizer=adam(2e-4)),
            build(Soulstyler, optimizer=partial(Soap, lr=1e-3)),
        ]
        for seed, method in enumerate(methods):
            method.seed = seed
        return methods, batches

    return make


def test_together_on_a_cpu_every_run_is_what_it_is_alone(runs):
    (joint, batches), (methods, _) = runs(build_tiny), runs(build_tiny)
    together = fitted(JointStylization(joint), batches)
    for alone, run, batch in zip(methods, together.runs, batches, strict=True):
        assert torch.equal(fitted(alone, batch).stylize(batch), run.stylize(batch))


def test_looked_at_at_once_every_run_is_what_it_is_alone(runs):
    """Losses and gradients of the second step, and the pictures after three.

    The pictures by plain gradient descent: Adam divides a gradient by its size, and so makes of
    rounding in the least of them a whole step.
    """
    methods, batches = runs()
    together = JointStylization(runs()[0], at_once=True)
    prepare(together.runs, batches)
    joint_step(together.runs, batches)
    views = []
    together.runs[0].encoder.classifier.register_forward_pre_hook(
        lambda _, images: views.append(len(images[0]))
    )
    for losses in (history := joint_step(together.runs, batches)):
        losses["loss"].backward(retain_graph=True)
    assert len(views) == 1 and views[0] >= 5 * 11  # one call for all
    for alone, run, losses, batch in zip(methods, together.runs, history, batches, strict=True):
        alone.prepare(batch)
        alone.step(batch)
        own = alone.step(batch)
        own["loss"].backward()
        for name, value in own.items():
            assert float(losses[name].detach()) == pytest.approx(float(value.detach()), rel=1e-4), (
                name
            )
        a, b = (
            torch.cat([p.grad.flatten() for p in one.generator.parameters()])
            for one in (alone, run)
        )
        assert float((a - b).norm() / a.norm()) < 1e-4
    (many, _), (methods, _) = runs(), runs()
    for method in (*many, *methods):
        method.optimizer = partial(torch.optim.SGD, lr=method.optimizer.keywords["lr"] * 1e-6)
    together = fitted(JointStylization(many, at_once=True), batches)
    for alone, run, batch in zip(methods, together.runs, batches, strict=True):
        before = alone.stylize(batch)
        after, same = fitted(alone, batch).stylize(batch), run.stylize(batch)
        assert float((after - same).norm() / (after - before).norm()) < 0.02


STYLED = {"gram": 1.0, "content": 20.0, "global": 500.0, "patch": 9e3, "tv": 20.0}
# For each setting that runs need not share, what the first run has and the second in its place.
VARIATIONS = {
    "weights": (STYLED, STYLED | {"patch": 900.0}),
    "optimizer": (sgd(5e-8), sgd(1e-8)),
    "lr_scheduler": (Halving, Linear),
    "blending": (Blending(), Blending(composite=True)),
    "brush": (0.25, 0.5),
    "deviations": (Deviations(), Deviations(tv_norms=True)),
    "memory": (0.0, 64.0),
    "graph": (True, False),
}


def test_every_setting_of_a_method_is_varied_or_declared_as_shared():
    shared = {one for one in SETTINGS if f"model.{one}".startswith(SHARED_SETTINGS)}
    assert VARIATIONS.keys() | shared == SETTINGS and not VARIATIONS.keys() & shared


@pytest.mark.parametrize("name", VARIATIONS)
def test_a_setting_that_is_not_declared_as_shared_is_each_runs_own(name, content, left):
    batch = replace(batch_of(content, [left], "fire"), style_image=content[None].flip(-1))

    def run(value):
        settings = {"weights": STYLED, "optimizer": sgd(5e-8), "patches": Patches(count=4)}
        torch.manual_seed(0)
        # Of StyleNet's gradient at this size float noise would be a larger share.
        settings |= {"generator": SmallUNet(width=8), "style_features": TinyFeatures()}
        return build_tiny(CLIPstyler, **settings | {name: value})

    first, second = VARIATIONS[name]
    alone = run(second)
    before = alone.stylize(batch)
    after = fitted(alone, batch).stylize(batch)
    joint = fitted(JointStylization([run(first), run(second)], at_once=True), [batch, batch])
    difference = (joint.runs[1].stylize(batch) - after).norm() / (after - before).norm()
    assert difference < 0.02


def test_stacked_generators_have_their_own_gradients(content):
    """In float64: in float32, values that rounding moves across a ReLU's 0 would decide."""
    torch.manual_seed(0)
    content, nets = content.double(), [StyleNet(width=8).double() for _ in range(3)]
    photos = [content[None], content[None].flip(-1), 1 - content[None]]
    goals = [torch.rand_like(photo) for photo in photos]

    def gradients(pictures):
        for net in nets:
            net.zero_grad()
        sum((p - w).square().sum() for p, w in zip(pictures, goals, strict=True)).backward()
        return [torch.cat([p.grad.flatten() for p in net.parameters()]) for net in nets]

    alone = [net(photo) for net, photo in zip(nets, photos, strict=True)]
    stacked = paint(nets, photos)
    for a, b in zip(alone, stacked, strict=True):
        torch.testing.assert_close(a, b, atol=1e-5, rtol=1e-4)
    for a, b in zip(gradients(alone), gradients(stacked), strict=True):
        assert float((a - b).norm() / a.norm()) < 1e-4


def test_runs_of_unlike_generators_are_painted_one_by_one(content, left):
    batch = batch_of(content, [left], "fire")
    pixels = build(Gatys, generator=Pixels(), style_features=build(CLIPstyler).content_features)
    pixels.generator.start(batch)
    nets = [StyleNet(width=8), StyleNet(width=16), pixels.generator]
    for net, picture in zip(nets, paint(nets, [batch.content] * 3), strict=True):
        assert torch.equal(picture, net(batch.content))


class Numbers(TorchDispatchMode):
    """Notes what turns tensors into numbers, for which a program has to wait for a GPU."""

    def __init__(self):
        super().__init__()
        self.places = []

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        counts = func is torch.ops.aten.index.Tensor and any(
            at is not None and at.dtype == torch.bool for at in args[1]
        )
        if counts or func in (torch.ops.aten._local_scalar_dense.default, NONZERO):
            self.places += traceback.extract_stack()[-3:-1]
        return func(*args, **(kwargs or {}))


NONZERO = torch.ops.aten.nonzero.default


def parts_of(methods, together):
    return [slice(None)] if together else [slice(k, k + 1) for k in range(len(methods))]


@pytest.mark.parametrize("together", [False, True])
def test_no_step_but_the_first_needs_the_value_of_a_tensor(runs, together):
    methods, batches = runs()
    prepare(methods, batches)
    joint_step(methods, batches)
    with Numbers() as numbers:
        for part in parts_of(methods, together):
            joint_step(methods[part], batches[part])
    assert numbers.places == []
    with Numbers() as numbers:
        float(torch.ones(1)), torch.ones(3)[torch.ones(3) > 0]
    assert len(numbers.places) == 4  # two calls, two places of each
