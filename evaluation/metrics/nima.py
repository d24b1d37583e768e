"""NIMA: a network's prediction of people's ratings of a picture (Talebi and Milanfar 2018).

The network predicts a distribution p over the ratings 1 to 10. Its mean, sum of i p_i, is the
score; its standard deviation, sqrt(sum of (i - mean)^2 p_i), is the disagreement among raters.

The authors have published no weights. Three layouts of checkpoints that others have trained on AVA,
the data set of the paper, can be read. The names of their tensors tell the layout, and each network
gets the pictures as its own code prepares them, with their aspect ratio, cropped to the centre:

| layout                | file                               | short side, crop, values            |
|-----------------------|------------------------------------|-------------------------------------|
| `inception_resnet_v2` | pyiqa's `NIMA_InceptionV2_ava-*`   | 299 px, 299 px, (x - 0.5) / 0.5     |
| `vgg16_pool`          | pyiqa's `NIMA_VGG16_ava-*`         | 224 px, 224 px, ImageNet statistics |
| `vgg16`               | yunxiaoshi/Neural-IMage-Assessment | 256 px, 224 px, ImageNet statistics |

pyiqa's have a linear layer on averaged features (its InceptionV2 is Inception-ResNet-v2), the third
one on all 7 x 7 x 512 of them; its code crops at random, but a measurement must be repeatable, so
the centre is taken. Numbers of different checkpoints are not comparable: the layout ends the
scores' names, and so does the name of a file that is not the published one.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from datamodules.models.embedded_networks import IMAGENET_MEAN, IMAGENET_STD
from datamodules.models.published import UNTRAINED, load_into, require
from evaluation.metrics import scores as declared
from evaluation.metrics.base import PictureMetric, Pictures
from evaluation.metrics.perceptual import other_weights
from evaluation.metrics.scores import RATINGS

log = logging.getLogger(__name__)

HUB = "file:chaofengc/IQA-PyTorch-Weights"
INSTEAD = "ratings are left out: no other network stands for NIMA"
CHUNK = 8  # pictures per call of the network
IMAGENET = IMAGENET_MEAN, IMAGENET_STD


def nima(distribution: Tensor) -> tuple[Tensor, Tensor]:
    """Mean in [1, 10] and standard deviation in [0, 4.5], (N,), of distributions (N, 10)."""
    ratings = torch.arange(1, RATINGS + 1, device=distribution.device, dtype=distribution.dtype)
    mean = (distribution @ ratings).clamp(1, RATINGS)
    spread = (distribution * (ratings - mean[:, None]).square()).sum(1).sqrt()
    return mean, spread.clamp(max=(RATINGS - 1) / 2)


def _inception_resnet_v2() -> nn.Module:
    import timm

    return timm.create_model("inception_resnet_v2", num_classes=RATINGS)


def _vgg16(side: int) -> nn.Module:
    """VGG-16's features, averaged to side x side, and one linear layer."""
    from torchvision.models.vgg import cfgs, make_layers

    network = nn.Sequential()
    network.add_module("features", make_layers(cfgs["D"], batch_norm=False))
    network.add_module("pool", nn.AdaptiveAvgPool2d(side))
    network.add_module("flat", nn.Flatten())
    network.add_module("head", nn.Linear(512 * side * side, RATINGS))
    return network


@dataclass(frozen=True)
class Layout:
    """A kind of checkpoint, and the input of its network.

    build: makes the untrained network. names: prefixes of the published tensors' names, which tell
    the layout, and of ours. published: a file of this layout that can be fetched, "" for none.
    short_side, crop: pixels. statistics: mean and spread that normalise pictures in [0, 1].
    """

    build: Callable[[], nn.Module]
    names: dict[str, str]
    published: str
    short_side: int
    crop: int
    statistics: tuple[tuple[float, ...], tuple[float, ...]]


LAYOUTS = {
    "inception_resnet_v2": Layout(
        build=_inception_resnet_v2,
        names={
            "base_model.conv2d_1a.": "conv2d_1a.",
            "base_model.": "",
            "classifier.2.": "classif.",
        },
        published=f"{HUB}/NIMA_InceptionV2_ava-b0c77c00.pth",
        short_side=299,
        crop=299,
        statistics=((0.5, 0.5, 0.5), (0.5, 0.5, 0.5)),
    ),
    "vgg16_pool": Layout(
        build=lambda: _vgg16(1),
        names={"base_model.features_": "features.", "classifier.2.": "head."},
        published=f"{HUB}/NIMA_VGG16_ava-dc4e8265.pth",
        short_side=224,
        crop=224,
        statistics=IMAGENET,
    ),
    "vgg16": Layout(
        build=lambda: _vgg16(7),
        names={"features.": "features.", "classifier.1.": "head."},
        published="",
        short_side=256,
        crop=224,
        statistics=IMAGENET,
    ),
}
PUBLISHED = LAYOUTS["inception_resnet_v2"].published


def layout_of(state: dict[str, Tensor]) -> str:
    """The layout of a checkpoint: all its prefixes occur in the names. ValueError if none fits."""
    for name, layout in LAYOUTS.items():
        if all(any(tensor.startswith(start) for tensor in state) for start in layout.names):
            return name
    raise ValueError(f"its tensors have the names of none of {', '.join(LAYOUTS)}")


def _tensors(published: dict) -> dict[str, Tensor]:
    """The state dict: pyiqa wraps it in "params", and training on several GPUs adds a prefix."""
    state = published.get("params", published)
    return {name.replace("module.", ""): value for name, value in state.items()}


class NIMANetwork(nn.Module):
    """Frozen network from pictures (N, 3, H, W) in [0, 1] to distributions (N, 10) of ratings.

    Args:
        weights: a file's name or path, of any layout; or "untrained" for random weights.

    Attributes:
        layout: the key of LAYOUTS.
        identity: the layout and, unless it is the published one, the name of the file.
    """

    def __init__(self, weights: str = PUBLISHED) -> None:
        super().__init__()
        if weights == UNTRAINED:
            log.warning("NIMA is untrained: its ratings mean nothing")
            self._build("inception_resnet_v2")
        else:
            load_into(self, require(weights, INSTEAD), "NIMA with ten ratings", self._converted)
        other = other_weights(weights, LAYOUTS[self.layout].published)
        self.identity = f"{self.layout}-{other}" if other else self.layout
        self.requires_grad_(False).eval()

    def _build(self, layout: str) -> None:
        self.layout = layout
        self.network = LAYOUTS[layout].build().to(memory_format=torch.channels_last)
        mean, spread = LAYOUTS[layout].statistics
        for name, values in (("mean", mean), ("spread", spread)):
            self.register_buffer(name, torch.tensor(values).view(1, 3, 1, 1), persistent=False)

    def _converted(self, published: dict) -> dict[str, Tensor]:
        """The state dict under our names; builds the network of its layout."""
        state = _tensors(published)
        self._build(layout_of(state))
        names, converted = LAYOUTS[self.layout].names, {}
        for name, value in state.items():
            start = next((start for start in names if name.startswith(start)), "")
            converted[f"network.{names.get(start, '')}{name.removeprefix(start)}"] = value
        return converted

    def train(self, mode: bool = True) -> NIMANetwork:
        return super().train(False)  # batch norms and dropout stay in evaluation mode

    def view(self, image: Tensor) -> Tensor:
        """The network's input (N, 3, crop, crop), of pictures (N, 3, H, W) in [0, 1]."""
        from torchvision.transforms.functional import center_crop, resize

        layout = LAYOUTS[self.layout]
        x = center_crop(resize(image, layout.short_side, antialias=True), layout.crop)
        return (x - self.mean) / self.spread

    def forward(self, image: Tensor) -> Tensor:
        x = self.view(image).contiguous(memory_format=torch.channels_last)
        return self.network(x).softmax(1)


class NIMA(PictureMetric):
    """Mean and standard deviation of the output's predicted ratings from 1 to 10.

    Args:
        weights: a file of one of the three layouts, as "file:REPOSITORY/FILE" or by its path, or
            "untrained" for random weights (for timing).
    """

    scores: ClassVar = declared.NIMA

    def __init__(self, weights: str = PUBLISHED) -> None:
        judge = NIMANetwork(weights)
        super().__init__(network=judge.identity)
        self.judge = judge

    def score(self, pictures: Pictures) -> dict[str, Tensor]:
        chunks = pictures.output.split(CHUNK)
        mean, spread = nima(torch.cat([self.judge(chunk) for chunk in chunks]))
        return {"nima_mean": mean, "nima_std": spread}
