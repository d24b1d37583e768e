"""Behaviour that all methods share."""

from functools import partial

import pytest
import torch

from datamodules.support.errors import AtelierError
from datamodules.task import BACKGROUND, StyleTarget, StyleTask
from lightning_modules.clipstyler import CLIPstyler
from lightning_modules.fusion import Fusion
from lightning_modules.gatys import Gatys
from lightning_modules.generative_artisan import GenerativeArtisan
from lightning_modules.optimizers.schedules import Halving, Linear
from lightning_modules.sem_cs import SemCS
from lightning_modules.soulstyler import Likeness, Soulstyler
from lightning_modules.steps.blending import Blending
from tests.support.methods import WEIGHTS, adam, batch_of, build_tiny, optimise
from tests.support.tiny import TinyFeatures


@pytest.mark.parametrize("shape", [(40, 150), (150, 40), (33, 33)])
@pytest.mark.parametrize("method", WEIGHTS)
def test_every_method_takes_any_aspect_ratio(method, shape):
    torch.manual_seed(0)
    content, style = torch.rand(3, *shape), torch.rand(3, 70, 50)
    masks = torch.ones(1, *shape)
    built = build_tiny(method, style_features=TinyFeatures(), brush=0.5)
    batch = StyleTask.of(content, (StyleTarget("x", "fire"),), masks, style_image=style).batch()
    before = built.stylize(batch)
    after = optimise(built, batch, steps=1)
    assert after.shape == content.shape
    assert after.isfinite().all()
    assert 0 <= after.min() < after.max() <= 1
    assert (after - before).abs().mean() > 1e-4


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"brush": 0.0}, "brush is 0.0"),
        ({"brush": []}, r"brush is \[\]"),
        ({"brush": [0.5, 2.0]}, "relative to the picture's shorter side"),
        ({"weights": {"patch": -1.0}}, "weights must be 0 or more"),
        ({"weights": {"patch": 0.0, "tv": 0.0}}, "at least one greater than 0"),
        ({"weights": {"gram": 1.0}}, "style_features"),
        ({"optimizer": adam(5e-3, betas=(0.9, 1.0))}, "1.0.*check --model.optimizer"),
        ({"lr_scheduler": partial(Halving, every=0)}, "every is 0"),
        ({"lr_scheduler": partial(Linear, rise=1.0)}, "rise is 1"),
        ({"content_every": 0}, "content_every is 0"),
    ],
)
def test_controls_that_make_no_sense_are_refused(settings, sentence):
    with pytest.raises(AtelierError, match=sentence):
        build_tiny(CLIPstyler, **settings)


@pytest.mark.parametrize(
    ("settings", "make"),
    [
        ("strength is 1.5", lambda: Blending(strength=1.5)),
        ("extra_share=-1", lambda: Likeness(extra_share=-1.0)),
    ],
)
def test_settings_that_make_no_sense_are_refused_by_their_groups(settings, make):
    with pytest.raises(AtelierError, match=settings):
        make()


def test_more_regions_than_a_method_takes_are_refused():
    two = [StyleTarget("cat", "fire"), StyleTarget("dog", "ice")]
    blend = [StyleTarget("cat", "fire", 0.5), StyleTarget("cat", "ice", 0.5)]
    for method in (CLIPstyler, GenerativeArtisan, Soulstyler, Gatys):
        with pytest.raises(AtelierError, match="2 are asked for"):
            method.check(two)
        method.check([StyleTarget("cat", "fire"), StyleTarget("dog", "fire", exceptions=("ear",))])
        method.check(blend)
    with pytest.raises(AtelierError, match="one object and its background"):
        SemCS.check(two)
    SemCS.check([two[0], StyleTarget(BACKGROUND, "ice")])
    Fusion.check(two)


def test_the_gram_loss_without_a_picture_is_refused(content, left):
    weights = WEIGHTS[CLIPstyler] | {"gram": 1.0}
    method = build_tiny(CLIPstyler, weights=weights, style_features=TinyFeatures())
    with pytest.raises(AtelierError, match="--style-image"):
        method.prepare(batch_of(content, [left], "fire"))
