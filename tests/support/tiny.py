"""Networks so small that a step takes milliseconds: for what hangs on no network's knowledge."""

import torch
from torch import nn
from torch.nn import functional as F

from lightning_modules.encoders.base import JointEncoder
from lightning_modules.perceptual.base import ContentFeatures

DIMENSIONS, GRID = 8, 4
# Settings of a run with such networks of its losses, and the options that give them.
NETWORKS = {
    "model.encoder": "tests.support.tiny.TinyEncoder",
    "model.content_features": "tests.support.tiny.TinyFeatures",
}
OPTIONS = [word for name, value in NETWORKS.items() for word in (f"--{name}", value)]


class TinyEncoder(JointEncoder):
    """A joint space of 8 dimensions: projections of 4x4 colours and of letters."""

    identity = "tiny"
    image_size = 16

    def __init__(self) -> None:
        super().__init__()
        random = torch.Generator().manual_seed(0)
        values = torch.randn(3 * GRID**2, DIMENSIONS, generator=random)
        self.register_buffer("projection", values)

    def embed_images(self, images):
        colours = F.adaptive_avg_pool2d(images, GRID).flatten(1)
        return F.normalize(colours @ self.projection, dim=1)

    def text_features(self, texts):
        kinds = len(self.projection)
        letters = [torch.tensor(list(text.encode())) % kinds for text in texts]
        counts = torch.stack([letter.bincount(minlength=kinds) for letter in letters])
        return counts.to(self.projection) @ self.projection


class TinyFeatures(ContentFeatures):
    """Two layers of 8 random frozen filters."""

    identity = "tiny"

    def __init__(self) -> None:
        super().__init__()
        with torch.random.fork_rng():
            torch.manual_seed(0)
            self.layers = nn.ModuleList(
                nn.Conv2d(channels, DIMENSIONS, 3, stride=2, padding=1)
                for channels in (3, DIMENSIONS)
            )
        self.requires_grad_(False)

    def forward(self, image):
        first = self.layers[0](image).relu()
        return [first, self.layers[1](first).relu()]
