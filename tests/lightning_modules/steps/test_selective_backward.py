"""Encoding in two passes changes no gradient."""

import pytest
import torch
from torch import nn

from datamodules.images import fit_within, load_picture, to_tensor
from datamodules.task import StyleTarget, StyleTask
from lightning_modules.generators.stylenet import StyleNet
from lightning_modules.perceptual.efficientnet import EfficientNetFeatures
from lightning_modules.soulstyler import Soulstyler
from lightning_modules.steps import selective_backward
from lightning_modules.steps.patches import Patches
from lightning_modules.steps.selective_backward import encode_in_two_passes
from tests.support.methods import Bridge


@pytest.fixture
def batch():
    content = to_tensor(fit_within(load_picture("skimage:chelsea"), 64))
    mask = torch.zeros(content.shape[1:])
    mask[8:40, 8:56] = 1
    return StyleTask.of(content, (StyleTarget("cat", "fire"),), mask[None]).batch()


def soulstyler(content=5.0, **settings):
    torch.manual_seed(0)
    return Soulstyler(
        generator=StyleNet(width=8),
        encoder=Bridge(),
        content_features=EfficientNetFeatures(),
        weights={"global": 5e2, "patch": 9e3, "background": 1e2, "content": content, "tv": 2e-3},
        patches=Patches(count=8),
        brush=0.5,
        **settings,
    )


def step(batch, tau, chunk=0, followed=1.0):
    """Loss, gradient and the method after one step with the given share of views followed."""
    method = soulstyler(tau=tau, chunk=chunk)
    method.prepare(batch)
    method.viewer.selection.share = followed
    losses, gradient = stepped(method, batch)
    return losses["loss"], gradient, method


def stepped(method, batch):
    """Losses of a step by name, and the gradient; the weights stay."""
    method.zero_grad()
    losses = method.training_step(batch, 0)
    losses["loss"].backward()
    gradient = torch.cat([p.grad.flatten() for p in method.generator.parameters()])
    return {name: float(loss.detach()) for name, loss in losses.items()}, gradient


def middle(batch):
    """A tau that accepts some patches and rejects others."""
    method = soulstyler(tau=0.0)
    method.prepare(batch)
    with torch.no_grad():
        embeddings = method.viewer.embed(method.views(method(batch), batch))
    moved = embeddings[1:] - method.content_embedding
    cosines = nn.functional.cosine_similarity(moved, method.direction[None])
    return float((1 - cosines).sort().values[4:6].mean())  # of 8: five rejected, three accepted


@pytest.mark.parametrize(("chunk", "followed"), [(2, 1.0), (0, 0.1), (3, 0.1)])
@pytest.mark.parametrize("some", [False, True])
def test_looking_twice_changes_no_gradient(batch, chunk, followed, some):
    tau = middle(batch) if some else 0.1
    loss, gradient, method = step(batch, tau)
    share = 4 / 9 if some else 1  # with the picture as a whole
    assert method.viewer.selection.share == pytest.approx(share)
    again, same, method = step(batch, tau, chunk, followed)
    assert again == pytest.approx(loss, rel=1e-5)
    assert float((gradient - same).norm() / gradient.norm()) < 1e-4
    assert method.viewer.selection.share == pytest.approx(share)


def test_content_seen_every_third_step_counts_three_times_then(batch, monkeypatch):
    seldom, plain, thrice, none = (
        soulstyler(content, tau=0.5, content_every=n)
        for content, n in ((5.0, 3), (5.0, 1), (15.0, 1), (0.0, 1))
    )
    looks, forward = [], EfficientNetFeatures.forward
    monkeypatch.setattr(
        EfficientNetFeatures, "forward", lambda *words: looks.append(1) or forward(*words)
    )
    for method in (seldom, plain, thrice, none):
        method.prepare(batch)
    for number in range(5):
        looks.clear()
        losses, gradient = stepped(seldom, batch)
        assert len(looks) == (1, 0, 0, 1, 0)[number]
        (usual, _), (_, without), (_, threefold) = (
            stepped(m, batch) for m in (plain, none, thrice)
        )
        assert losses == usual  # the loss itself
        expected = without if number % 3 else threefold
        assert float((gradient - expected).norm() / expected.norm()) < 1e-5


def test_only_what_has_a_gradient_is_looked_at_again():
    looks = []

    def encode(views):
        looks.append((len(views), torch.is_grad_enabled()))
        return views.flatten(1)[:, :5] ** 2

    views = torch.rand(6, 3, 4, 4, requires_grad=True)
    weights = torch.tensor([0.0, 1, 0, 0, 2, 3])
    (encode_in_two_passes(encode, views, 2).sum(1) * weights).sum().backward()
    assert looks == [(2, False)] * 3 + [(2, True), (1, True)]
    expected = torch.zeros_like(views)
    expected.view(6, -1)[:, :5] = 2 * views.detach().flatten(1)[:, :5] * weights[:, None]
    assert torch.allclose(views.grad, expected)


def test_where_nothing_has_a_gradient_nothing_is_looked_at_again():
    views = torch.rand(2, 3, 4, 4, requires_grad=True)
    (encode_in_two_passes(lambda v: v.flatten(1), views, 2) * 0).sum().backward()
    assert not views.grad.any()


def test_a_run_looks_twice_once_few_patches_count(batch, monkeypatch):
    calls = []

    def noted(*args):
        calls.append(1)
        return encode_in_two_passes(*args)

    monkeypatch.setattr(selective_backward, "encode_in_two_passes", noted)
    *_, method = step(batch, tau=2.0)  # no directional loss is above 2
    assert (calls, method.viewer.selection.share) == ([], pytest.approx(1 / 9))
    method.training_step(batch, 1)["loss"].backward()
    assert calls == [1]
