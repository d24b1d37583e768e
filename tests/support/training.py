"""A one-pass network that trains in milliseconds, and trainings with it."""

import signal
from pathlib import Path

import torch
import yaml
from PIL import Image
from torch import nn
from torch.nn import functional as F

from lightning_modules.generators.one_pass import OnePass, load_network
from lightning_modules.training import Training
from tests.support.tiny import DIMENSIONS, TinyEncoder

TINY = {
    "model": {
        "init_args": {
            "generator": {"class_path": "tests.support.training.TinyOnePass"},
            "encoder": {"class_path": "tests.support.tiny.TinyEncoder"},
            "content_features": {"class_path": "tests.support.tiny.TinyFeatures"},
            "weights": {"global": 1.0, "patch": 10.0, "content": 1.0, "tv": 1e-4},
            "patches": {"count": 3},
            "tau": 0.1,
            "optimizer": {"class_path": "torch.optim.Adam", "init_args": {"lr": 1e-2}},
        }
    },
    "data": {
        "init_args": {"folders": ["photos"], "styles": ["fire", "ice"], "crop": 32, "workers": 0}
    },
    "trainer": {"max_steps": 6, "accelerator": "cpu"},
    "wandb": {"enabled": False},
}


class TinyOnePass(OnePass):
    """A convolution whose channels a text scales and shifts.

    Args:
        weights: a file that a training wrote, or "untrained". start: seed of the first weights.
        dropout: share of the styles' numbers that training leaves out.

    Attributes:
        interrupt: number of the painted batch at which Ctrl-C is pressed, 0 = never.
    """

    interrupt = 0

    def __init__(
        self,
        weights: str = "untrained",
        start: int = 0,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.encoder = TinyEncoder()
        self.painted = 0
        with torch.random.fork_rng():
            torch.manual_seed(start)
            text = nn.Sequential(nn.Linear(DIMENSIONS, 6), nn.Dropout(dropout))
            self.network = nn.ModuleDict({"text": text, "paint": nn.Conv2d(3, 3, 3)})
        if weights != "untrained":
            load_network(self.network, Path(weights), type(self).__name__)

    def texts(self, texts):
        return self.network["text"](self.encoder.embed_texts(list(texts)))

    def paint(self, content, styles):
        self.painted += 1
        if self.painted == self.interrupt:
            signal.raise_signal(signal.SIGINT)
        scale, shift = styles[..., None, None].chunk(2, dim=1)
        filtered = self.network["paint"](F.pad(content, [1] * 4, mode="reflect"))
        return torch.sigmoid(filtered * (1 + scale) + shift)


class Own(Training):
    """A training of a user's."""


def photos(folder, count=5, size=(60, 44)):
    """Smooth random photos in a folder, which is returned."""
    folder.mkdir(parents=True, exist_ok=True)
    random = torch.Generator().manual_seed(0)
    for number in range(count):
        colours = torch.randint(0, 256, (6, 8, 3), generator=random, dtype=torch.uint8)
        picture = Image.fromarray(colours.numpy()).resize(size, Image.Resampling.BICUBIC)
        picture.save(folder / f"photo{number}.png")
    return folder


def configured(folder, **changes):
    """Write tiny.yaml and photos/ into a folder; changes: settings of the model."""
    photos(folder / "photos")
    config = yaml.safe_load(yaml.safe_dump(TINY))
    config["model"]["init_args"] |= changes
    (folder / "tiny.yaml").write_text(yaml.safe_dump(config), "utf-8")
    return folder / "tiny.yaml"
