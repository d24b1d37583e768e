"""Time of each optimisation and of the plain code that it replaces: `make bench`.

Not part of the tests, because times prove nothing on a busy machine. Only ratios in a group count.
"""

from copy import deepcopy
from functools import partial
from itertools import repeat

import pytest
import torch
from lightning import LightningModule, Trainer
from torchvision.transforms import RandomCrop

from datamodules.models.fast_linear import by_products
from datamodules.task import StyleTarget, StyleTask
from experiments.profiling.published_loop import PublishedLoop, places_of
from experiments.run.lightning_cli import TRAINER_DEFAULTS
from lightning_modules.callbacks import StepProgress
from lightning_modules.clipstyler import CLIPstyler
from lightning_modules.encoders.bridge import BridgeEncoder
from lightning_modules.encoders.open_clip import OpenCLIPEncoder
from lightning_modules.generators.stylenet import StyleNet
from lightning_modules.perceptual.efficientnet import EfficientNetFeatures
from lightning_modules.steps.joint import joint_step
from lightning_modules.steps.patches import (
    Places,
    covered_boxes,
    cut,
    draw,
    every_box,
    mean_within,
    random_corners,
)
from lightning_modules.steps.selective_backward import encode_in_two_passes

LOOP_STEPS = 1000


@pytest.fixture(scope="module")
def vision():
    return OpenCLIPEncoder(pretrained="untrained")


@pytest.mark.benchmark(group="64 patches of 128 px at 224 px, forward and backward")
@pytest.mark.parametrize("code", ["one by one", "all at once"])
def test_patches(benchmark, code):
    task = StyleTask.of(
        torch.rand(3, 512, 512), (StyleTarget("", "fire"),), torch.ones(1, 512, 512)
    )
    published = PublishedLoop(method(StyleNet(width=4), side=224), task.batch())
    image = task.content[None].requires_grad_()
    boxes = torch.cat([torch.randint(384, (64, 2)), torch.full((64, 1), 128)], dim=1).float()
    corners = random_corners(64, 0.5, "cpu")
    places = places_of(boxes, corners)

    def one_by_one():
        torch.cat([published.patch(image, place) for place in places]).sum().backward()

    def all_at_once():
        cut(image, boxes, corners, 128, 224).sum().backward()

    benchmark(one_by_one if code == "one by one" else all_at_once)


@pytest.mark.benchmark(group="Soulstyler at 512 px, a disc of 92 px: places of a step's patches")
@pytest.mark.parametrize("code", ["trial and error", "possible places"])
def test_places_on_the_object(benchmark, code):
    """Without the published code's calls of CLIP, one for each crop of the background."""
    y, x = torch.meshgrid(torch.arange(512), torch.arange(512), indexing="ij")
    mask = ((y - 200).square() + (x - 300).square() < 46**2).float()
    possible = covered_boxes(mask, 64, 0.8)
    everywhere = every_box(512, 512, 64)
    empty = everywhere[mean_within(mask, everywhere) < 0.1]
    parts = [Places((possible,), 64), Places((empty,), 71)]

    def trial_and_error():
        targets, others, tries = [], [], 0
        while len(targets) < 64 or len(others) < 71:
            top, left, _, _ = RandomCrop.get_params(mask, (64, 64))
            share, tries = mask[top : top + 64, left : left + 64].mean().item(), tries + 1
            if share >= 0.8 and len(targets) < 64:
                targets.append((left, top))
            elif share < 0.1 and len(others) < 71:
                others.append((left, top))
        benchmark.extra_info["tries"] = tries

    benchmark(trial_and_error if code == "trial and error" else lambda: draw(parts))


@pytest.mark.benchmark(group="ViT-B/32, 16 views, forward and backward")
@pytest.mark.parametrize("code", ["matrix products", "convolutions"])
def test_encoder(benchmark, vision, code):
    encoder = by_products(deepcopy(vision)) if code == "matrix products" else vision
    benchmark(_forward_and_backward, encoder.embed_images)


@pytest.mark.benchmark(group="ViT-B/32, 16 views, 6 of them accepted")
@pytest.mark.parametrize("code", ["full backward pass", "selective backward pass"])
def test_rejected_patches(benchmark, vision, code):
    encode = vision.embed_images
    if code == "selective backward pass":
        encode = partial(encode_in_two_passes, vision.embed_images, chunk=16)
    benchmark(_forward_and_backward, encode, 6)


def _forward_and_backward(encode, count=16):
    views = torch.rand(16, 3, 224, 224, requires_grad=True)
    encode(views)[:count].sum().backward()


@pytest.mark.benchmark(group="4 runs at 256 px: one step of each")
@pytest.mark.parametrize("code", ["one after another", "jointly"])
def test_joint_step(benchmark, code):
    task = StyleTask.of(
        torch.rand(3, 256, 256), (StyleTarget("", "fire"),), torch.ones(1, 256, 256)
    )
    runs, batches = [method(StyleNet()) for _ in range(4)], [task.batch()] * 4
    for run, batch in zip(runs, batches, strict=True):
        run.prepare(batch)

    def one_after_another():
        for run, batch in zip(runs, batches, strict=True):
            run.step(batch)["loss"].backward()

    def jointly():
        sum(losses["loss"] for losses in joint_step(runs, batches)).backward()

    benchmark(jointly if code == "jointly" else one_after_another)


def method(generator, side=128):
    return CLIPstyler(
        generator=generator,
        encoder=BridgeEncoder(image_size=side),
        content_features=EfficientNetFeatures(),
        weights={"global": 500.0, "patch": 9e3, "content": 5.0, "tv": 2e-3},
    )


@pytest.mark.benchmark(group=f"{LOOP_STEPS} nearly empty steps")
@pytest.mark.parametrize("loop", ["bare", "Lightning"])
def test_loop(benchmark, loop):
    benchmark.pedantic(bare if loop == "bare" else under_lightning, args=(Minimal(),), rounds=5)


class Minimal(LightningModule):
    """Module whose step has as few operations as possible, and logs as much as a method does."""

    def __init__(self):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.ones(()))

    def training_step(self, batch, batch_idx):
        loss = (batch * self.weight) ** 2
        self.log_dict(dict.fromkeys(("total", "global", "patch", "content", "tv"), loss))
        return {"loss": loss, "tv": loss.detach()}

    def configure_optimizers(self):
        optimizer = torch.optim.Adam(self.parameters())
        schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 1.0)
        return {
            "optimizer": optimizer,
            "lr_scheduler": {"scheduler": schedule, "interval": "step"},
        }


def bare(module):
    module.log_dict = lambda losses: None
    configured = module.configure_optimizers()
    for number, batch in enumerate(repeat(torch.ones(()), LOOP_STEPS)):
        configured["optimizer"].zero_grad()
        module.training_step(batch, number)["loss"].backward()
        configured["optimizer"].step()
        configured["lr_scheduler"]["scheduler"].step()


def under_lightning(module):
    settings = TRAINER_DEFAULTS | {"max_steps": LOOP_STEPS, "accelerator": "cpu"}
    Trainer(**settings, callbacks=[StepProgress()]).fit(module, repeat(torch.ones(())))
