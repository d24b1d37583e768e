"""The memory of a step is foreseen, and parts give what the whole gives."""

import gc
import weakref

import pytest
import torch
from torch import nn

from datamodules.images import fit_within, load_picture, to_tensor
from datamodules.support.errors import AtelierError
from datamodules.task import StyleBatch, StyleTarget, StyleTask
from lightning_modules.gatys import Gatys
from lightning_modules.generators.fast_painter import FastPainter
from lightning_modules.generators.painter import Painter
from lightning_modules.generators.small_unet import SmallUNet
from lightning_modules.generators.stylenet import StyleNet
from lightning_modules.perceptual.efficientnet import EfficientNetFeatures
from lightning_modules.soulstyler import Soulstyler
from lightning_modules.steps.memory import Estimate, available, fit_into, footprint, painting
from tests.support.methods import build


def test_a_footprint_counts_what_the_backward_pass_needs_and_no_weights():
    layer = nn.Conv2d(3, 8, 3)
    sizes = footprint(layer, lambda x: layer(x).relu(), torch.zeros(1, 3, 10, 10))
    assert sizes.total == 4 * (3 * 100 + 8 * 64)  # the convolution's input, the ReLU's output
    assert sizes.largest == 4 * 8 * 64


def test_a_footprint_leaves_nothing_in_memory():
    """A process of many runs would grow by the graphs of every estimate."""
    layer, results = nn.Conv2d(3, 8, 3), []

    def function(x):
        result = layer(x).sigmoid()  # its graph needs its result
        results.append(weakref.ref(result))
        return result

    footprint(layer, function, torch.zeros(1, 3, 10, 10))
    gc.collect()
    assert results[0]() is None


@pytest.fixture(params=[lambda: StyleNet(width=8), Painter], ids=["stylenet", "painter"])
def prepared(request):
    """A method and its batch; of random numbers the same each time."""

    def make(side=256):
        content = to_tensor(fit_within(load_picture("skimage:chelsea"), side))
        mask = torch.zeros(content.shape[1:])
        mask[16:140, 30:200] = 1
        batch = StyleTask.of(content, (StyleTarget("cat", "fire"),), mask[None]).batch()
        torch.manual_seed(0)
        method = build(Soulstyler, generator=request.param())
        method.generator.start(batch)
        return method, batch

    return make


def test_the_estimate_covers_what_a_step_keeps(prepared):
    method, batch = prepared()
    estimate = Estimate(method, batch).whole(0)
    method.prepare(batch)

    def once(_):
        return method.step(batch)["loss"]

    step_keeps = footprint(method, once, torch.zeros(1)).total
    assert step_keeps < estimate < 3 * step_keeps


def test_in_parts_a_step_has_the_losses_and_gradients_of_the_whole(prepared):
    steps = []
    for parts in (False, True):
        method, batch = prepared()
        if parts:
            estimate = Estimate(method, batch)
            room = estimate.in_parts(4, 0)
            assert room < estimate.whole(0)
            assert fit_into(method, batch, room) == room
            assert (method.chunk, method.content_features.tile) == (4, 0)
            assert method.generator.recompute
            method.content_features.tile = 128
        method.prepare(batch)
        losses = method.step(batch)
        losses["loss"].backward()
        weights = [w for w in method.generator.parameters() if w.requires_grad]
        steps.append((losses, torch.cat([w.grad.flatten() for w in weights])))
    (losses, gradient), (in_parts, same) = steps
    for name, value in losses.items():
        assert float(in_parts[name].detach()) == pytest.approx(float(value.detach()), rel=1e-5)
    assert float((gradient - same).norm() / gradient.norm()) < 1e-4


def test_a_style_pictures_features_are_counted_and_tiled_too():
    content = to_tensor(fit_within(load_picture("skimage:chelsea"), 256))
    task = StyleTask.of(
        *(content, (StyleTarget("", ""),), torch.ones(1, *content.shape[1:])),
        source_text="",
        style_image=content,
    )
    gradients = []
    for parts in (False, True):
        style = EfficientNetFeatures(blocks=[0, 2, 4])
        method = build(Gatys, generator=StyleNet(width=8), style_features=style, brush=1)
        if parts:
            assert Estimate(method, task.batch()).content.total > counted(method)
            fit_into(method, task.batch(), Estimate(method, task.batch()).in_parts(4, 256))
            method.content_features.tile = style.tile = 128
        method.prepare(task.batch())
        losses = method.step(task.batch())
        losses["loss"].backward()
        gradients.append(torch.cat([w.grad.flatten() for w in method.generator.parameters()]))
    assert float((gradients[0] - gradients[1]).norm() / gradients[0].norm()) < 1e-4


def counted(method):
    """Bytes that the content features alone keep of the piece that is measured."""
    piece = torch.zeros(1, 3, 128, 128, requires_grad=True)
    return footprint(method.content_features, method.content_features, piece).total


@pytest.mark.parametrize(
    ("make", "measured"),
    [(Painter, 437), (FastPainter, 401), (SmallUNet, 638), (StyleNet, 1072)],
)
def test_the_estimate_of_painting_covers_the_peak_that_was_measured(make, measured):
    """Bytes per pixel of the process, on a processor, from a picture of 256 to one of 1280 px."""
    generator, content = make(), torch.rand(1, 3, 128, 128)
    generator.start(StyleBatch(content, torch.ones(1, 1, 128, 128), (((1.0, "fire"),),), "a Photo"))
    for recompute in (False, True):
        generator.recompute = recompute
        assert measured < painting(generator, content, 1) < 2 * measured
        assert generator.recompute == recompute


def test_where_there_is_room_nothing_changes(prepared):
    method, batch = prepared(96)
    needed = fit_into(method, batch, 10**12)
    assert needed == Estimate(method, batch).whole(0)
    assert (method.chunk, method.content_features.tile, method.generator.recompute) == (0, 0, False)


def test_what_cannot_fit_is_refused_with_a_size_that_can(prepared):
    method, batch = prepared()
    room = int(0.6 * Estimate(method, batch).in_parts(4, 256))
    with pytest.raises(
        AtelierError, match=r"Optimising 256x170 px .* give --size (\d+) or"
    ) as refusal:
        fit_into(method, batch, room)
    size = int(str(refusal.value).split("--size ")[1].split()[0])
    fit_into(*prepared(size), room)
    with pytest.raises(AtelierError, match=r"free some, or raise --model.memory"):
        fit_into(method, batch, 0)


def test_a_limit_counts_what_the_program_holds_already():
    free = available(torch.device("cpu"))
    assert free > available(torch.device("cpu"), limit=0.1) == 0  # torch alone is more
    assert available(torch.device("cpu"), limit=1e6) <= free * 1.1
