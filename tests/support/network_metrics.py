"""Helpers of the tests of network metrics."""

import pytest
import torch
from skimage import data
from torch import nn
from torch.nn import functional as F

MODELS = {"vgg16": "vgg", "alexnet": "alex", "squeezenet1_1": "squeeze"}
IMAGENET = torch.tensor([[0.485, 0.456, 0.406], [0.229, 0.224, 0.225]]).view(2, 1, 3, 1, 1)


def randomised(make):
    """A network with random weights under which, as under trained ones, no signal fades."""
    with torch.device("meta"):  # what is overwritten anyhow is not initialised first
        network = make()
    network = network.to_empty(device="cpu").eval().requires_grad_(False)
    for layer in network.modules():
        if hasattr(layer, "reset_parameters"):
            layer.reset_parameters()
        if isinstance(layer, nn.Conv2d):
            nn.init.kaiming_normal_(layer.weight)
            if layer.bias is not None:
                nn.init.normal_(layer.bias, std=0.1)
    return network


@pytest.fixture(scope="session")
def backbones(tmp_path_factory):
    """Random features by torchvision's name, each with its file in torchvision's format."""
    from torchvision.models import get_model

    folder, files = tmp_path_factory.mktemp("backbones"), {}
    torch.manual_seed(0)
    for model in MODELS:
        features = randomised(lambda model=model: get_model(model, weights=None).features)
        state = {f"features.{name}": value for name, value in features.state_dict().items()}
        torch.save(state | {"classifier.6.bias": torch.zeros(4)}, folder / f"{model}.pth")
        files[model] = features, str(folder / f"{model}.pth")
    return files


@pytest.fixture(scope="session")
def photo():
    """(1, 3, 96, 80) of the sort that is measured."""
    picture = torch.from_numpy(data.astronaut()[:384, :320]).permute(2, 0, 1)[None] / 255
    return F.interpolate(picture, (96, 80), mode="area")


@pytest.fixture(scope="session")
def pair(photo):
    """Three pictures and changed ones: noise, a flat colour, a shift."""
    generator = torch.Generator().manual_seed(0)
    noise = (photo + 0.1 * torch.randn(photo.shape, generator=generator)).clamp(0, 1)
    changed = torch.cat([noise, torch.full_like(photo, 0.5), photo.roll(5, -1)])
    return photo.expand(3, -1, -1, -1).contiguous(), changed
