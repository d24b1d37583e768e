"""Literal transcription of CLIPstyler's published loop, the measure of speed in `atelier profile`.

Its operations follow one another as in the published codes: each patch is cropped, warped and
resized by itself; patches and whole picture are two calls of the encoder; the encoder's weights
collect gradients that nobody uses; and the content network runs to its end. It is written from the
papers' formulas and shares with lightning_modules only the networks and settings of a method: no
loss, no patches, no directions.
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

from datamodules.models.embedded_networks import IMAGENET_MEAN, IMAGENET_STD
from datamodules.models.fast_linear import by_products
from datamodules.support.errors import AtelierError
from datamodules.task import Blend, StyleBatch
from lightning_modules.clipstyler import CLIPstyler
from lightning_modules.perceptual.vgg import VGGFeatures

LOSSES = {"global", "patch", "content", "tv"}
# Our bound on the shortest move of an embedding, which the published code lacks: without it the
# losses of both loops could not be compared.
SMALLEST_MOVE = 1e-2

Points = list[list[float]]


@dataclass(frozen=True)
class Place:
    """A patch: the square of `size` px at (left, top), whose corners `start` move to `end`.

    start, end: top left, top right, bottom right, bottom left; (x, y) in pixels of the patch.
    """

    left: int
    top: int
    size: int
    start: Points
    end: Points


def places_of(boxes: Tensor, corners: Tensor) -> list[Place]:
    """Places of boxes (N, 3) and corners (N, 4, 2) by lightning_modules.steps.patches."""
    places = []
    for (left, top, size), quad in zip(boxes.int().tolist(), corners.tolist(), strict=True):
        square = [[0, 0], [size, 0], [size, size], [0, size]]
        places.append(Place(left, top, size, square, [[x * size, y * size] for x, y in quad]))
    return places


class PublishedLoop:
    """Loop of a CLIPstyler on a batch, with networks and an optimizer of its own.

    It starts from the method's generator as it is now. Raises AtelierError for settings that the
    published loop does not have.

    Args:
        method: networks, weights and settings.
        batch: picture and style, on the method's device.
        threshold: function from directional losses (N,) to the tau of a step; None: the method's.
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
        self.antialias = not method.deviations.aliased_view
        self.unit_texts = not method.deviations.raw_text_average
        self.norms = method.deviations.tv_norms
        self.generator = deepcopy(method.generator)
        self.encoder = by_products(deepcopy(method.encoder)).requires_grad_(True)
        self.features = _whole(method.content_features)
        self.optimizer = method.optimizer(self.generator.parameters())
        with torch.no_grad():
            self.source = self.embed_whole(batch.content)
            self.content_maps = self.features(batch.content)
            self.direction = self.text_direction(batch.styles[0], batch.source_text)

    def text_direction(self, blend: Blend, source: str) -> Tensor:
        """Direction (D,) of length 1 from the source text to the weighted style texts."""
        direction = torch.zeros_like(self.source[0])
        for weight, style in blend:
            moved = self.embed_text(style) - self.embed_text(source)
            direction += weight * moved / moved.norm()
        return direction / direction.norm()

    def embed_text(self, text: str) -> Tensor:
        """Unit vector (D,): mean embedding of the text in 79 prompts for ImageNet."""
        from open_clip import OPENAI_IMAGENET_TEMPLATES

        first, _, *others = [template(text) for template in OPENAI_IMAGENET_TEMPLATES]
        embeddings = self.encoder.text_features([first, *others])
        if self.unit_texts:
            embeddings = embeddings / embeddings.norm(dim=-1, keepdim=True)
        mean = embeddings.mean(dim=0)
        return mean / mean.norm()

    def embed_whole(self, picture: Tensor) -> Tensor:
        """Unit vector (1, D) of a whole picture (1, 3, H, W)."""
        return self.encoder.embed_images(self.encoder.view(picture, self.antialias))

    def step(self, places: Sequence[Place] = ()) -> dict[str, Tensor]:
        """Take one step of the optimisation; the losses before it, by name.

        places: of the patches, instead of random ones.
        """
        losses = self.losses(self.generator(self.batch.content), places)
        total = sum(self.weights[name] * loss for name, loss in losses.items())
        self.optimizer.zero_grad()
        total.backward()
        self.optimizer.step()
        return {name: loss.detach() for name, loss in losses.items()}

    def losses(self, output: Tensor, places: Sequence[Place] = ()) -> dict[str, Tensor]:
        """Losses of an output (1, 3, H, W) in [0, 1], by name."""
        patches = []
        for number in range(self.count):
            place = places[number] if places else self.draw(output, number)
            patches.append(self.patch(output, place))
        patch_losses = self.directional(self.encoder.embed_images(torch.cat(patches)))
        tau = self.threshold(patch_losses)
        rejected = patch_losses < tau if self.reject_below else patch_losses <= tau
        patch_losses[rejected] = 0
        maps = zip(self.features(output), self.content_maps, strict=True)
        return {
            "global": self.directional(self.embed_whole(output)).mean(),
            "patch": patch_losses.mean(),
            "content": sum(((ours - theirs) ** 2).mean() for ours, theirs in maps),
            "tv": _norms(output) if self.norms else _squares(output),
        }

    def draw(self, output: Tensor, number: int) -> Place:
        """Random place of the `number`-th patch; the sizes share the patches equally."""
        size = self.sizes[number * len(self.sizes) // self.count]
        top, left, _, _ = RandomCrop.get_params(output, (size, size))
        start, end = RandomPerspective.get_params(size, size, self.distortion)
        return Place(left, top, size, start, end)

    def patch(self, output: Tensor, place: Place) -> Tensor:
        """Patch (1, 3, S, S) at the encoder's size; 0 outside the warped square."""
        crop = tv.crop(output, place.top, place.left, place.size, place.size)
        warped = tv.perspective(crop, place.start, place.end)
        return tv.resize(warped, [self.encoder.image_size, self.encoder.image_size])

    def directional(self, embeddings: Tensor) -> Tensor:
        """1 - cos(dI, dT) of embeddings (N, D): (N,); dI is divided by SMALLEST_MOVE at least."""
        moved = embeddings - self.source
        moved = moved / moved.norm(dim=-1, keepdim=True).clamp(min=SMALLEST_MOVE)
        return 1 - (moved * self.direction).sum(-1)


def _check(method: CLIPstyler) -> None:
    if method.weights.keys() != LOSSES:
        raise AtelierError(
            f"The published loop has the losses {', '.join(sorted(LOSSES))}, but model.weights "
            f"names {', '.join(sorted(method.weights))}; leave out the others, or --against"
        )
    if method.blending.composite or method.blending.keep_color:
        raise AtelierError(
            "The published loop has neither composite nor keep_color; leave them out, or --against"
        )


class _WholeVGG(nn.Module):
    """Convolutional part of VGG-19 to its end, beyond the last layer that the method needs."""

    def __init__(self, features: VGGFeatures) -> None:
        super().__init__()
        layers = deepcopy(features.network).to(memory_format=torch.contiguous_format)
        rest = make_layers(cfgs["E"], batch_norm=False)[len(layers) :]
        for layer in rest:
            if isinstance(layer, nn.ReLU):
                layer.inplace = False  # otherwise it would overwrite the features
        like = next(layers.parameters())
        self.layers = nn.Sequential(*layers, *rest).requires_grad_(False).to(like)
        self.indices = features.indices
        for name, values in (("mean", IMAGENET_MEAN), ("std", IMAGENET_STD)):
            self.register_buffer(name, torch.tensor(values).to(like).view(1, 3, 1, 1))

    def forward(self, image: Tensor) -> list[Tensor]:
        x, features = (image - self.mean) / self.std, []
        for index, layer in enumerate(self.layers):
            x = layer(x)
            if index in self.indices:
                features.append(x)
        return features


def _whole(features: nn.Module) -> nn.Module:
    """The content network to its end; the embedded network, which no paper has, stays as it is."""
    return _WholeVGG(features) if isinstance(features, VGGFeatures) else deepcopy(features)


def _squares(image: Tensor) -> Tensor:
    """Sum of squared differences between neighbours, right and down."""
    right = (image[:, :, :, :-1] - image[:, :, :, 1:]) ** 2
    down = (image[:, :, :-1, :] - image[:, :, 1:, :]) ** 2
    return right.sum() + down.sum()


def _norms(image: Tensor) -> Tensor:
    """Sum of the L2 norms of the differences right, down and along both diagonals."""
    inner, right, below = image[:, :, :-1, :-1], image[:, :, :-1, 1:], image[:, :, 1:, :-1]
    return (
        torch.norm(image[:, :, :, :-1] - image[:, :, :, 1:])
        + torch.norm(image[:, :, :-1, :] - image[:, :, 1:, :])
        + torch.norm(inner - image[:, :, 1:, 1:])
        + torch.norm(right - below)
    )
