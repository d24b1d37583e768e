"""Three steps of a method in reference mode against the published loop, on the recipe's weights."""

import pytest
import torch

from datamodules.task import StyleTarget, StyleTask
from experiments.profiling.published_loop import PublishedLoop, places_of
from lightning_modules.clipstyler import CLIPstyler
from lightning_modules.generators.stylenet import StyleNet
from lightning_modules.steps.observer import Observer
from lightning_modules.steps.patches import Patches
from tests.golden.parity.published import picture, stylenet_weights
from tests.support.methods import adam, build_tiny


class Places(Observer):
    """Notes the places of a step's patches."""

    def patches(self, boxes, corners):
        self.places = places_of(boxes, corners)


@pytest.mark.parity("Three steps of CLIPstyler")
def test_three_steps_have_the_losses_of_the_published_loop(agree):
    generator = StyleNet()
    generator.load_state_dict(stylenet_weights())
    settings = {"brush": 32, "tau": 0.9, "patches": Patches(12), "optimizer": adam(5e-4)}
    # In float64 and with smooth networks: Adam amplifies noise where a gradient is nearly 0, and
    # torchvision solves for its perspective in float32.
    method = build_tiny(CLIPstyler, generator=generator, mode="reference", **settings).double()
    content = picture("view", 96, 104)[0].double()
    task = StyleTask.of(content, (StyleTarget("", "fire"),), torch.ones(1, 96, 104).double())
    batch, method.observer = task.batch(), Places()
    method.prepare(batch)
    published = PublishedLoop(method, batch)
    optimizer = method.optimizer(generator.parameters())
    for _ in range(3):
        losses = method.step(batch)
        optimizer.zero_grad()
        losses.pop("loss").backward()
        optimizer.step()
        theirs = published.step(method.observer.places)
        assert losses.keys() == theirs.keys()
        for name, loss in losses.items():
            agree(loss / theirs[name], 1.0, within=1e-6)
