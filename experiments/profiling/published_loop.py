"""CLIPstyler's loop written down as it reads, the measure of what `atelier profile` calls fast.

One operation after the other, as the published codes have them: each patch is cropped, warped and
resized on its own, patches and whole picture are two calls of the encoder, the encoder's weights
collect gradients that nobody uses, and the content network runs to its end. Written from the
papers' formulas, and independent of lightning_modules.steps.patches and lightning_modules.losses.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torchvision.models.vgg import cfgs, make_layers
from torchvision.transforms import RandomCrop, RandomPerspective
from torchvision.transforms import functional as tv

from datamodules.models.fast_linear import by_products
from datamodules.models.packaged import IMAGENET_MEAN, IMAGENET_STD
from datamodules.support.errors import AtelierError
from datamodules.task import StyleBatch
from lightning_modules.clipstyler import CLIPstyler
from lightning_modules.losses.directional import SMALLEST_MOVE
from lightning_modules.perceptual.vgg import VGGFeatures
from lightning_modules.steps.directions import style_directions

SERVED = {"global", "patch", "content", "tv"}

Points = list[list[float]]


@dataclass(frozen=True)
class Place:
    """A patch: the square `size` px at (left, top), of which the corners `start` go to `end`.

    start, end: top left, top right, bottom right, bottom left; (x, y) in pixels of the patch.
    """

    left: int
    top: int
    size: int
    start: Points
    end: Points


def places_of(boxes: Tensor, corners: Tensor) -> list[Place]:
    """Places for boxes (N, 3) and corners (N, 4, 2) as lightning_modules.steps.patches has them."""
    places = []
    for (left, top, size), quad in zip(boxes.int().tolist(), corners.tolist(), strict=True):
        square = [[0, 0], [size, 0], [size, size], [0, size]]
        places.append(Place(left, top, size, square, [[x * size, y * size] for x, y in quad]))
    return places


class Naive:
    """The loop of a CLIPstyler on a batch, with networks and an optimizer of its own.

    It starts from the method's generator as it is now; networks judge alike. Raises AtelierError
    for what the published loop does not have.

    Args:
        method: whose networks, weights and settings are taken.
        batch: the picture and its style, on the method's device.
        threshold: directional losses (N,) to the tau of this step; None: the method's own.
    """

    def __init__(
        self,
        method: CLIPstyler,
        batch: StyleBatch,
        threshold: Callable[[Tensor], Tensor] | None = None,
    ) -> None:
        _check(method)
        self.batch, self.weights = batch, method.weights
        self.count, self.distortion = method.patches.count, method.patches.distortion
        self.sizes = method.sizes(batch)
        self.threshold = threshold or (lambda losses: method.tau)
        self.reject_below = method.deviations.reject_below or threshold is not None
        self.norms = method.deviations.tv_norms
        self.generator = deepcopy(method.generator)
        self.encoder = by_products(deepcopy(method.encoder)).requires_grad_(True)
        self.features = _whole(method.content_features)
        self.optimizer = method.optimizer(self.generator.parameters())
        with torch.no_grad():
            view = self.encoder.view(batch.content)
            self.source = self.encoder.embed_images(view)
            self.content_maps = self.features(batch.content)
            self.direction = style_directions(self.encoder, batch)[0]

    def step(self, places: Sequence[Place] = ()) -> dict[str, Tensor]:
        """One step of the optimisation; the losses before it, by name.

        places: of the patches, instead of random ones.
        """
        losses = self.losses(self.generator(self.batch.content), places)
        total = sum(self.weights[name] * loss for name, loss in losses.items())
        self.optimizer.zero_grad()
        total.backward()
        self.optimizer.step()
        return {name: loss.detach() for name, loss in losses.items()}

    def losses(self, output: Tensor, places: Sequence[Place] = ()) -> dict[str, Tensor]:
        """The four losses of an output (1, 3, H, W) in [0, 1], by name."""
        patches = []
        for number in range(self.count):
            place = places[number] if places else self.draw(output, number)
            patches.append(self.patch(output, place))
        of_patches = self.directional(self.encoder.embed_images(torch.cat(patches)))
        tau = self.threshold(of_patches)
        rejected = of_patches < tau if self.reject_below else of_patches <= tau
        of_patches[rejected] = 0
        maps = zip(self.features(output), self.content_maps, strict=True)
        return {
            "global": self.directional(self.encoder.embed_images(self.encoder.view(output))).mean(),
            "patch": of_patches.mean(),
            "content": sum(((ours - theirs) ** 2).mean() for ours, theirs in maps),
            "tv": _norms(output) if self.norms else _squares(output),
        }

    def draw(self, output: Tensor, number: int) -> Place:
        """A random place for the `number`-th patch; the sizes share the patches equally."""
        size = self.sizes[number * len(self.sizes) // self.count]
        top, left, _, _ = RandomCrop.get_params(output, (size, size))
        start, end = RandomPerspective.get_params(size, size, self.distortion)
        return Place(left, top, size, start, end)

    def patch(self, output: Tensor, place: Place) -> Tensor:
        """One patch at the encoder's size; 0 outside the warped square."""
        crop = tv.crop(output, place.top, place.left, place.size, place.size)
        warped = tv.perspective(crop, place.start, place.end)
        return tv.resize(warped, [self.encoder.image_size, self.encoder.image_size])

    def directional(self, embeddings: Tensor) -> Tensor:
        """1 - cos(dI, dT) of embeddings (N, D): (N,); with our bound on the shortest dI."""
        moved = embeddings - self.source
        moved = moved / moved.norm(dim=-1, keepdim=True).clamp(min=SMALLEST_MOVE)
        return 1 - (moved * self.direction).sum(-1)


def _check(method: CLIPstyler) -> None:
    if method.weights.keys() != SERVED:
        raise AtelierError(
            f"The naive loop knows the losses {', '.join(sorted(SERVED))}, but model.weights names "
            f"{', '.join(sorted(method.weights))}; leave the others, or --against, out"
        )
    if method.blending.composite or method.blending.keep_color:
        raise AtelierError(
            "The naive loop knows neither composite nor keep_color; leave them, or --against, out"
        )


class _WholeVGG(nn.Module):
    """All of VGG-19's convolutional part, where the method's own ends at the last wanted layer."""

    def __init__(self, features: VGGFeatures) -> None:
        super().__init__()
        layers = deepcopy(features.network).to(memory_format=torch.contiguous_format)
        rest = make_layers(cfgs["E"], batch_norm=False)[len(layers) :]
        for layer in rest:
            if isinstance(layer, nn.ReLU):
                layer.inplace = False  # else it would overwrite the features that were just read
        like = next(layers.parameters())
        self.layers = nn.Sequential(*layers, *rest).requires_grad_(False).to(like)
        self.wanted = features.wanted
        for name, values in (("mean", IMAGENET_MEAN), ("std", IMAGENET_STD)):
            self.register_buffer(name, torch.tensor(values).to(like).view(1, 3, 1, 1))

    def forward(self, image: Tensor) -> list[Tensor]:
        x, features = (image - self.mean) / self.std, []
        for index, layer in enumerate(self.layers):
            x = layer(x)
            if index in self.wanted:
                features.append(x)
        return features


def _whole(features: nn.Module) -> nn.Module:
    """The content network to its end. The embedded one, which no paper has, stays as it is."""
    return _WholeVGG(features) if isinstance(features, VGGFeatures) else deepcopy(features)


def _squares(image: Tensor) -> Tensor:
    """Squared differences of neighbours, right and down, summed."""
    right = (image[:, :, :, :-1] - image[:, :, :, 1:]) ** 2
    down = (image[:, :, :-1, :] - image[:, :, 1:, :]) ** 2
    return right.sum() + down.sum()


def _norms(image: Tensor) -> Tensor:
    """L2 norms of the differences right, down and along both diagonals, summed."""
    inner, right, below = image[:, :, :-1, :-1], image[:, :, :-1, 1:], image[:, :, 1:, :-1]
    return (
        torch.norm(image[:, :, :, :-1] - image[:, :, :, 1:])
        + torch.norm(image[:, :, :-1, :] - image[:, :, 1:, :])
        + torch.norm(inner - image[:, :, 1:, 1:])
        + torch.norm(right - below)
    )
