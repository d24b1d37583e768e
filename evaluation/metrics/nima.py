"""NIMA: how a network thinks that people would rate a picture (Talebi and Milanfar 2018).

The network answers with a distribution p over the scores 1 to 10. Its mean, sum of i p_i, is the
rating; its standard deviation, sqrt(sum of (i - mean)^2 p_i), says how much raters would disagree.

The authors have published no weights. Three layouts of checkpoints trained by others on AVA, the
data set of the paper, can be read; they are told apart by the names of their tensors, and each gets
the pictures as its own code prepares them, which keeps the aspect ratio and looks at the middle:

| layout                | file                               | short side, crop, values            |
|-----------------------|------------------------------------|-------------------------------------|
| `inception_resnet_v2` | pyiqa's `NIMA_InceptionV2_ava-*`   | 299 px, 299 px, (x - 0.5) / 0.5     |
| `vgg16_pool`          | pyiqa's `NIMA_VGG16_ava-*`         | 224 px, 224 px, ImageNet statistics |
| `vgg16`               | yunxiaoshi/Neural-IMage-Assessment | 256 px, 224 px, ImageNet statistics |

pyiqa's put a linear layer on averaged features (its InceptionV2 is Inception-ResNet-v2), the third
one on all 7 x 7 x 512 of them; its code crops at random, which a measurement cannot, so the middle
is taken. Numbers of different checkpoints are not comparable: the layout ends the scores' names,
and a file that is not a published one ends them too.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from datamodules.models.packaged import IMAGENET_MEAN, IMAGENET_STD
from datamodules.models.published import UNTRAINED, load_into, require
from evaluation.metrics.base import PictureMetric, Pictures, Score
from evaluation.metrics.perceptual import other_weights

log = logging.getLogger(__name__)

HUB = "file:chaofengc/IQA-PyTorch-Weights"
INSTEAD = "ratings are left out: no other network stands for NIMA"
SCORES = 10
CHUNK = 8  # pictures that the network looks at together
IMAGENET = IMAGENET_MEAN, IMAGENET_STD
SOURCE = "Talebi and Milanfar 2018, trained on AVA"


def nima(distribution: Tensor) -> tuple[Tensor, Tensor]:
    """Mean in [1, 10] and standard deviation in [0, 4.5], (N,), of distributions (N, 10)."""
    scores = torch.arange(1, SCORES + 1, device=distribution.device, dtype=distribution.dtype)
    mean = (distribution @ scores).clamp(1, SCORES)
    spread = (distribution * (scores - mean[:, None]).square()).sum(1).sqrt()
    return mean, spread.clamp(max=(SCORES - 1) / 2)


def _inception_resnet_v2() -> nn.Module:
    import timm

    return timm.create_model("inception_resnet_v2", num_classes=SCORES)


def _vgg16(side: int) -> nn.Module:
    """VGG-16's features, averaged to side x side, and one linear layer."""
    from torchvision.models.vgg import cfgs, make_layers

    network = nn.Sequential()
    network.add_module("features", make_layers(cfgs["D"], batch_norm=False))
    network.add_module("pool", nn.AdaptiveAvgPool2d(side))
    network.add_module("flat", nn.Flatten())
    network.add_module("head", nn.Linear(512 * side * side, SCORES))
    return network


@dataclass(frozen=True)
class Layout:
    """A published kind of checkpoint, and what its network wants to see.

    build: the network, untrained. names: beginnings of the published tensors' names and of ours;
    they tell the layout. published: the name of a file of this layout that can be fetched.
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
    """The layout of a checkpoint: all its beginnings occur in the names. ValueError if none."""
    for layout, known in LAYOUTS.items():
        if all(any(name.startswith(start) for name in state) for start in known.names):
            return layout
    raise ValueError(f"its tensors have the names of none of {', '.join(LAYOUTS)}")


def _tensors(published: dict) -> dict[str, Tensor]:
    """The state dict: pyiqa wraps it in "params", and training on several GPUs marks the names."""
    state = published.get("params", published)
    return {name.replace("module.", ""): value for name, value in state.items()}


class NIMANetwork(nn.Module):
    """Pictures (N, 3, H, W) in [0, 1] to distributions (N, 10) over the scores. Frozen.

    Args:
        weights: a file's name or path, its layout found out; or "untrained" for random weights.

    Attributes:
        layout: the key of LAYOUTS.
        identity: the layout, and of a file that is not the published one its name.
    """

    def __init__(self, weights: str = PUBLISHED) -> None:
        super().__init__()
        if weights == UNTRAINED:
            log.warning("NIMA is untrained: its ratings mean nothing")
            self._build("inception_resnet_v2")
        else:
            load_into(self, require(weights, INSTEAD), "NIMA with ten scores", self._converted)
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
        """The state dict under our names; builds the network that it is for."""
        state = _tensors(published)
        self._build(layout_of(state))
        names, converted = LAYOUTS[self.layout].names, {}
        for name, value in state.items():
            start = next((start for start in names if name.startswith(start)), "")
            converted[f"network.{names.get(start, '')}{name.removeprefix(start)}"] = value
        return converted

    def train(self, mode: bool = True) -> NIMANetwork:
        return super().train(False)  # its batch norms and dropout are never in training mode

    def view(self, image: Tensor) -> Tensor:
        """What the network looks at, (N, 3, crop, crop), of pictures (N, 3, H, W) in [0, 1]."""
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

    scores: ClassVar = {
        "nima_mean": Score(True, 1, SCORES, SOURCE, note="a prediction of people's ratings"),
        "nima_std": Score(None, 0, (SCORES - 1) / 2, SOURCE, note="predicted spread of ratings"),
    }

    def __init__(self, weights: str = PUBLISHED) -> None:
        judge = NIMANetwork(weights)
        super().__init__(network=judge.identity)
        self.judge = judge

    def score(self, pictures: Pictures) -> dict[str, Tensor]:
        chunks = pictures.output.split(CHUNK)
        mean, spread = nima(torch.cat([self.judge(chunk) for chunk in chunks]))
        return {"nima_mean": mean, "nima_std": spread}
