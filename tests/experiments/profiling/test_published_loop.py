"""The published loop computes the same."""

from copy import deepcopy
from dataclasses import replace

import pytest
import torch
from torch import nn

from datamodules.support.errors import AtelierError
from experiments.profiling.meter import accepting, rejecting
from experiments.profiling.published_loop import PublishedLoop, places_of
from experiments.profiling.stopwatch import StepObserver, Stopwatch
from lightning_modules.perceptual.efficientnet import EfficientNetFeatures
from lightning_modules.perceptual.vgg import VGGFeatures
from lightning_modules.steps.blending import Blending
from lightning_modules.steps.patches import random_corners
from tests.support.methods import Bridge
from tests.support.profiles import WEIGHTS, clipstyler
from tests.support.tiny import TinyEncoder, TinyFeatures


def gradients(generator):
    return torch.cat([p.grad.flatten() for p in generator.parameters()])


@pytest.mark.parametrize(
    ("features", "encoder", "mode", "share"),
    [
        (EfficientNetFeatures, Bridge, "paper", None),
        (TinyFeatures, TinyEncoder, "paper", 1.0),
        (TinyFeatures, TinyEncoder, "paper", 0.5),
        (VGGFeatures, Bridge, "reference", 0.5),
    ],
)
def test_naive_computes_the_same_losses_and_gradients(
    clipstyler_batch, features, encoder, mode, share
):
    # In float32 a pixel that differs by 1e-5 can be on the other side of a ReLU's corner.
    weights = {"weights": "untrained"} if features is VGGFeatures else {}
    method = clipstyler(lambda: features(**weights), encoder, mode=mode, tau=1.167)
    method = deepcopy(method).double()  # of networks that other tests share
    double = replace(
        clipstyler_batch,
        content=clipstyler_batch.content.double(),
        masks=clipstyler_batch.masks.double(),
    )
    published = PublishedLoop(method, double, share and accepting(share))
    if share:
        method.reject = rejecting(share)
    method.observer = observer = StepObserver(Stopwatch(torch.device("cpu")))
    method.prepare(double)
    observer.places.clear()
    ours = method.training_step(double, 0)
    ours.pop("loss").backward()
    assert len(observer.places) == 3
    theirs = published.step([p for cut in observer.places for p in places_of(*cut)])
    assert ours.keys() == theirs.keys()
    for name, loss in ours.items():
        assert loss.item() == pytest.approx(theirs[name].item(), rel=1e-6), name
    assert theirs["patch"] > 0
    expected = gradients(published.generator)
    difference = (gradients(method.generator) - expected).norm() / expected.norm()
    assert difference < 1e-3


def test_naive_moves_its_own_generator_and_leaves_ours(clipstyler_batch):
    method = clipstyler()
    before = [p.detach().clone() for p in method.generator.parameters()]
    published = PublishedLoop(method, clipstyler_batch)
    first, second = published.step(), published.step()
    assert first["content"] != second["content"]
    assert all(map(torch.equal, before, method.generator.parameters()))
    assert all(p.grad is None for p in method.parameters())
    assert any(p.grad is not None for p in published.encoder.parameters())


def test_naive_computes_vgg_to_its_end(clipstyler_batch):
    published = PublishedLoop(
        clipstyler(lambda: VGGFeatures(weights="untrained")), clipstyler_batch
    )
    assert sum(isinstance(layer, nn.Conv2d) for layer in published.features.layers) == 16
    assert isinstance(published.features.layers[-1], nn.MaxPool2d)


@pytest.mark.parametrize(
    "settings",
    [
        {"blending": Blending(composite=True)},
        {"blending": Blending(keep_color=True)},
        {"weights": WEIGHTS | {"x": 1.0}},
    ],
)
def test_naive_refuses_what_the_published_loop_has_not(clipstyler_batch, settings):
    with pytest.raises(AtelierError, match="published loop has"):
        PublishedLoop(clipstyler(**settings), clipstyler_batch)


def test_places_are_the_boxes_and_corners():
    torch.manual_seed(0)
    boxes, corners = torch.tensor([[3.0, 5, 40], [0, 0, 20]]), random_corners(2, 0.5)
    first, second = places_of(boxes, corners)
    assert (first.left, first.top, first.size, second.size) == (3, 5, 40, 20)
    assert torch.tensor(first.end) / 40 == pytest.approx(corners[0])
    assert second.start[2] == [20, 20]


@pytest.mark.parametrize(("share", "count"), [(1.0, 64), (0.4, 26), (0.01, 1), (0.0, 0)])
def test_accepted_are_the_patches_with_the_highest_losses(share, count):
    losses = torch.rand(64, generator=torch.Generator().manual_seed(0), requires_grad=True)
    accepted = rejecting(share)(losses, 0.7)
    assert (accepted != 0).sum() == count
    assert torch.equal(
        accepted.detach().sort().values[64 - count :], losses.sort().values[64 - count :]
    )
