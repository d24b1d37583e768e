"""Small methods, with the real encoder or without, and their batches."""

from functools import partial
from typing import ClassVar

import torch

from datamodules.task import BACKGROUND, StyleTarget, StyleTask
from lightning_modules.clipstyler import CLIPstyler
from lightning_modules.encoders.bridge import BridgeEncoder
from lightning_modules.fusion import Fusion
from lightning_modules.gatys import Gatys
from lightning_modules.generative_artisan import GenerativeArtisan
from lightning_modules.generators.stylenet import StyleNet
from lightning_modules.perceptual.efficientnet import EfficientNetFeatures
from lightning_modules.sem_cs import SemCS
from lightning_modules.soulstyler import Soulstyler
from lightning_modules.steps.patches import Patches
from tests.support.tiny import TinyEncoder, TinyFeatures

WEIGHTS = {
    CLIPstyler: {"global": 500.0, "patch": 9000.0, "content": 20.0, "tv": 2e-3},
    GenerativeArtisan: {"global": 500.0, "patch": 9000.0, "content": 20.0, "tv": 2e-3},
    SemCS: {"foreground": 500.0, "background": 500.0, "patch": 9e3, "content": 20.0, "tv": 2e-3},
    Soulstyler: {"global": 500.0, "patch": 9e3, "background": 150.0, "content": 20.0, "tv": 2e-3},
    Fusion: {"global": 500.0, "patch": 9000.0, "content": 20.0, "tv": 2e-3},
    Gatys: {"content": 1.0, "gram": 1e4},
}


def adam(lr, **settings):
    return partial(torch.optim.Adam, lr=lr, **settings)


class Bridge(BridgeEncoder):
    """The bridge encoder at 64 px, which embeds the same texts only once per process."""

    embedded: ClassVar = {}

    def __init__(self) -> None:
        super().__init__(image_size=64)

    def text_features(self, texts):
        key = tuple(texts)
        if key not in self.embedded:
            self.embedded[key] = super().text_features(texts)
        return self.embedded[key].clone()


def build(method, encoder=None, content_features=None, **settings):
    """A small method with the bridge encoder and EfficientNet's features, or others."""
    torch.manual_seed(0)
    arguments = {
        "generator": StyleNet(width=8),
        "weights": WEIGHTS[method],
        "optimizer": adam(5e-3),
        "brush": [0.25, 0.375],
    }
    if method is not Gatys:
        arguments["patches"] = Patches(count=10)
        arguments |= {} if method is GenerativeArtisan else {"tau": 0.5}
    return method(
        encoder=encoder or Bridge(),
        content_features=content_features or EfficientNetFeatures(),
        **(arguments | settings),
    )


def build_tiny(method, **settings):
    """A method whose networks know nothing, for tests of mechanics."""
    networks = {"encoder": TinyEncoder(), "content_features": TinyFeatures()}
    return build(method, **networks | {"generator": StyleNet(width=4)} | settings)


def batch_of(content, masks, *styles):
    """One target a mask: the object, then the background."""
    pairs = zip(("cat", BACKGROUND), styles, strict=False)
    targets = [StyleTarget(name, style) for name, style in pairs]
    return StyleTask.of(content, tuple(targets), torch.stack(masks)).batch()


def optimise(method, batch, steps=20):
    """Take steps; the picture (3, H, W) that they lead to."""
    descend(method, batch, steps)
    return method.stylize(batch)[0].detach()


def descend(method, batch, steps):
    """Take steps in a bare loop, which is Lightning's without Lightning; the losses of each."""
    method.generator.start(batch)
    method.prepare(batch)
    optimizer, history = method.optimizer(method.generator.parameters()), []
    for step in range(steps):
        losses = method.training_step(batch, step)
        optimizer.zero_grad()
        losses["loss"].backward()
        optimizer.step()
        history.append({name: float(value.detach()) for name, value in losses.items()})
    return history
