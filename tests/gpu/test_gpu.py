"""Runs on a GPU: no step waits for it, and it gives the numbers of the processor.

With networks that need no files, so that these tests run on a machine with little but PyTorch.
"""

import itertools
from functools import partial

import pytest
import torch
from lightning import Callback, LightningDataModule, Trainer
from torch.nn import functional as F

from evaluation.finished_pictures import load, read_run
from evaluation.metrics.background import BackgroundPreservation
from evaluation.metrics.change import Change
from evaluation.metrics.content_distance import ContentDistance
from evaluation.metrics.mesh import Mesh
from evaluation.metrics.style import GlobalStyle, PatchStyle
from evaluation.suite import Suite
from lightning_modules.clipstyler import CLIPstyler
from lightning_modules.encoders.open_clip import OpenCLIPEncoder
from lightning_modules.fusion import Fusion
from lightning_modules.optimizers.soap import Soap
from lightning_modules.perceptual.vgg import VGGFeatures
from lightning_modules.sem_cs import SemCS
from lightning_modules.soulstyler import Soulstyler
from lightning_modules.steps.blending import Blending
from lightning_modules.steps.deviations import Deviations
from lightning_modules.steps.joint import joint_step
from tests.support.methods import adam, batch_of, build
from tests.support.noise_runs import run_folder
from tests.support.tiny import TinyEncoder, TinyFeatures

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU"),
]
DEVICE = torch.device("cuda")


def metrics():
    """All that need no file of weights, on networks that know nothing."""
    encoder, features = tiny()
    return {
        "change": Change(),
        "background": BackgroundPreservation(),
        "mesh": Mesh(),
        "style_global": GlobalStyle(encoder),
        "style_patch": PatchStyle(encoder),
        "content_distance": ContentDistance(features),
    }


@pytest.fixture(autouse=True)
def exact(monkeypatch):
    """Convolutions in float32, which cuDNN rounds to TF32 by default."""
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", False)


def tiny():
    return TinyEncoder(), TinyFeatures()


def papers(tiny_clip):
    """The papers' networks: a small CLIP, and VGG-19 untrained."""
    torch.manual_seed(0)
    encoder = OpenCLIPEncoder("tiny-clip", str(tiny_clip[0]))
    return encoder, VGGFeatures(["conv2_1", "conv3_1"], weights="untrained")


def runs(networks, content, left):
    """Five runs of unlike methods on the same networks, and their batches, on the GPU."""
    parts = {"encoder": networks[0], "content_features": networks[1]}
    methods = [
        build(Soulstyler, **parts, blending=Blending(), pool=40, optimizer=adam(5e-4)),
        build(CLIPstyler, **parts, mode="reference", deviations=Deviations(extra_step=False)),
        build(SemCS, **parts),
        build(Fusion, **parts, blending=Blending(composite=True, keep_color=True)),
        build(Soulstyler, **parts, optimizer=partial(Soap, lr=1e-3)),
    ]
    batches = [
        batch_of(content, [left], "fire"),
        batch_of(content, [torch.ones_like(left)], "mosaic"),
        batch_of(content, [left, 1 - left], "fire", "a frozen lake"),
        batch_of(content[:, :, :72].contiguous(), [left[:, :72]], "gold"),  # another size
        batch_of(content, [left], "water"),
    ]
    for seed, method in enumerate(methods):
        method.seed = seed
    return [method.to(DEVICE) for method in methods], [batch.to(DEVICE) for batch in batches]


def prepare(methods, batches):
    with torch.no_grad():
        for method, batch in zip(methods, batches, strict=True):
            method.prepare(batch)


@pytest.mark.parametrize("networks", ["tiny", "papers"])
@pytest.mark.parametrize("together", [False, True])
def test_no_step_waits_for_the_gpu(networks, together, content, left, tiny_clip):
    methods, batches = runs(tiny() if networks == "tiny" else papers(tiny_clip), content, left)
    optimizers = [torch.optim.Adam(method.generator.parameters()) for method in methods]
    count = len(methods)
    parts = [slice(None)] if together else [slice(k, k + 1) for k in range(count)]

    def step():
        for part in parts:
            losses = joint_step(methods[part], batches[part])
            sum(one["loss"] for one in losses).backward()
        for optimizer in optimizers:
            optimizer.step()
            optimizer.zero_grad()

    prepare(methods, batches)
    step()  # the first may wait
    torch.cuda.set_sync_debug_mode("error")
    try:
        step()
    finally:
        torch.cuda.set_sync_debug_mode("default")


def fitted(content, left, steps, graph):
    """Losses of each step of a run under Lightning, and the weights after it."""
    # Without rejection, in which rounding would decide whether a patch counts.
    method = build(CLIPstyler, *tiny(), graph=graph, optimizer=adam(1e-3), tau=0.0)
    data = NoMasking(batch_of(content, [torch.ones_like(left)], "mosaic"))
    losses = Losses()
    trainer = Trainer(
        accelerator="gpu",
        devices=1,
        max_steps=steps,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        callbacks=[losses],
    )
    trainer.fit(method, datamodule=data)
    assert (method.recorded is not None) == graph and method.graph == graph
    return torch.stack(losses.total).cpu(), [weight.detach() for weight in method.parameters()]


class Losses(Callback):
    """Total loss of each step."""

    def __init__(self):
        self.total = []

    def on_train_batch_end(self, trainer, module, outputs, batch, batch_idx):
        self.total.append(outputs["loss"].detach())


class NoMasking(LightningDataModule):
    """The same batch at every step."""

    def __init__(self, batch):
        super().__init__()
        self.batch = batch

    def train_dataloader(self):
        return itertools.repeat(self.batch)

    def transfer_batch_to_device(self, batch, device, dataloader_idx):
        return batch.to(device)


def test_a_recorded_step_has_the_losses_and_weights_of_a_plain_one(content, left):
    """Ten steps with patches at random places, three of them plain, seven replays."""
    replayed, ours = fitted(content, left, 10, graph=True)
    plain, theirs = fitted(content, left, 10, graph=False)
    torch.testing.assert_close(replayed, plain, rtol=1e-3, atol=1e-4)
    assert len(set(replayed.tolist())) == 10  # every step has patches of its own
    apart = sum(float((a - b).square().sum()) for a, b in zip(ours, theirs, strict=True))
    assert apart**0.5 < 1e-2 * sum(float(b.square().sum()) for b in theirs) ** 0.5


def test_runs_together_have_the_losses_and_gradients_of_each_alone(content, left):
    together, batches = runs(tiny(), content, left)
    apart, _ = runs(tiny(), content, left)
    prepare(together, batches)
    prepare(apart, batches)
    joint = joint_step(together, batches)
    sum(one["loss"] for one in joint).backward()
    for run, own, losses, batch in zip(together, apart, joint, batches, strict=True):
        alone = own.step(batch)
        alone["loss"].backward()
        expected = {name: float(loss.detach()) for name, loss in alone.items()}
        assert {k: float(v.detach()) for k, v in losses.items()} == pytest.approx(
            expected, rel=1e-3, abs=1e-6
        )
        a, b = (
            torch.cat([weight.grad.flatten() for weight in one.generator.parameters()])
            for one in (own, run)
        )
        assert float((a - b).norm() / a.norm()) < 1e-2


@pytest.mark.parametrize("half", ["bfloat16", "float16"])
def test_half_precision_agrees_with_float32_on_the_processor(tiny_clip, half):
    encoder = OpenCLIPEncoder("tiny-clip", str(tiny_clip[0]), half)
    pictures = torch.rand(3, 3, 32, 32)
    expected, texts = encoder.cpu().embed_images(pictures), encoder.text_features(["fire", "ice"])
    encoder.to(DEVICE)
    ours = encoder.embed_images(pictures.to(DEVICE))
    assert ours.dtype == torch.float32
    assert F.cosine_similarity(ours.cpu(), expected).min() > 0.999
    ours = encoder.text_features(["fire", "ice"])
    assert F.cosine_similarity(ours.cpu(), texts).min() > 0.999


def test_the_first_losses_are_those_of_the_processor(content, left):
    """All but the patches', which are cut at other places."""
    batch = batch_of(content, [torch.ones_like(left)], "mosaic")
    method = build(CLIPstyler, *tiny())
    losses = []
    for device in ("cpu", DEVICE):
        method, there = method.to(device), batch.to(torch.device(device))
        prepare([method], [there])
        losses.append({k: float(v.detach()) for k, v in method.step(there).items()})
    for name in ("global", "content", "tv"):
        assert losses[1][name] == pytest.approx(losses[0][name], rel=1e-3)


def test_metrics_have_the_numbers_of_the_processor(tmp_path):
    folder = run_folder(tmp_path / "a", size=128)
    cases = [load(read_run(folder))]
    values = []
    for device in ("cpu", DEVICE.type):
        scores = Suite(metrics(), device).score(cases, metrics())[0]
        assert not scores.unavailable
        values.append({name: value for name, value in scores.values.items() if value is not None})
    assert values[0]
    assert values[1] == pytest.approx(values[0], abs=2e-2, rel=2e-2)
