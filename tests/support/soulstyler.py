"""Helpers of the tests of stylization."""

from functools import partial

import torch

from datamodules.parsing.base import Parser
from datamodules.segmentation.base import Segmenter
from datamodules.stylization import StylizationDataModule
from datamodules.task import StyleTarget
from lightning_modules.generators.stylenet import StyleNet
from lightning_modules.perceptual.efficientnet import EfficientNetFeatures
from lightning_modules.soulstyler import Soulstyler
from lightning_modules.steps.patches import Patches
from tests.support.methods import Bridge

WEIGHTS = {"global": 500.0, "patch": 9e3, "background": 150.0, "content": 20.0, "tv": 2e-3}


def soulstyler(**settings):
    torch.manual_seed(0)
    settings = {"weights": WEIGHTS, "patches": Patches(count=8), "tau": 0.5, **settings}
    return Soulstyler(
        generator=StyleNet(width=8),
        encoder=Bridge(),
        content_features=EfficientNetFeatures(),
        optimizer=partial(torch.optim.Adam, lr=5e-3),
        brush=[0.25, 0.375],
        **settings,
    )


class Parrot(Parser):
    """Answers what it was told, and counts how often it was asked."""

    def __init__(self, *pairs):
        self.targets, self.calls = [StyleTarget(*pair) for pair in pairs], 0

    def parse(self, instruction):
        self.calls += 1
        return self.targets


class Quarter(Segmenter):
    """Finds everything in the upper left quarter, but a sky in the upper half."""

    def segment(self, content, phrase):
        mask = torch.zeros(content.shape[1:])
        mask[: mask.shape[0] // 2, : mask.shape[1] // (1 if phrase == "sky" else 2)] = 1
        return mask


def data(**settings):
    settings = {"image": "skimage:chelsea", "parser": Parrot(("cat", "fire")), **settings}
    return StylizationDataModule(**{"segmenter": Quarter(), "size": 96, "feather": 0, **settings})
