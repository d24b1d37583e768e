"""Helpers of the tests of profile."""

import pytest
import torch

from datamodules.images import load_picture, to_tensor
from datamodules.task import StyleTarget, StyleTask
from lightning_modules.clipstyler import CLIPstyler
from lightning_modules.generators.stylenet import StyleNet
from lightning_modules.perceptual.efficientnet import EfficientNetFeatures
from lightning_modules.steps.patches import Patches
from tests.support.methods import Bridge

WEIGHTS = {"global": 500.0, "patch": 9e3, "content": 5.0, "tv": 2e-3}


def clipstyler(features=EfficientNetFeatures, encoder=Bridge, **settings):
    torch.manual_seed(0)
    return CLIPstyler(
        generator=StyleNet(width=4),
        encoder=encoder(),
        content_features=features(),
        patches=Patches(count=6),
        brush=[0.5, 2 / 3, 0.75],
        **{"weights": WEIGHTS, **settings},
    )


@pytest.fixture
def clipstyler_batch():
    content = to_tensor(load_picture("skimage:chelsea").resize((96, 96)))
    target = StyleTarget("", "fire")
    return StyleTask.of(content, (target,), torch.ones(1, 96, 96)).batch()
