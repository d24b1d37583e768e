"""The loop that all methods share: a generator is optimised until an encoder sees the style.

A method is a subclass with three functions that read as its paper's algorithm: `prepare(batch)`,
`views(output, batch)`, which the encoder is to look at, and `losses(output, seen, batch)`. All else
is here: the optimizer, the composite, the losses that keep the content, the weighted sum, the log.
`step` takes one step of any number of runs: of one alone, or of several together
(lightning_modules/steps/joint.py).

What the published codes of all four papers do otherwise than their papers is a switch each:
`tv_norms`, `reject_below`, `early_halving`, `extra_step`. `mode` sets them all, and the method's
own ones. One more of theirs, content features read after the ReLU, belongs to the feature network.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from lightning import LightningModule
from torch import Tensor
from torch.nn import functional as F
from torch.optim import Optimizer

from datamodules.support.errors import AtelierError
from datamodules.task import StyleBatch, StyleTarget, check_weights, regions
from lightning_modules.encoders.base import JointEncoder
from lightning_modules.generators.base import Generator, paint
from lightning_modules.losses.content import content_loss
from lightning_modules.losses.gram import gram, gram_loss
from lightning_modules.losses.total_variation import total_variation, total_variation_norms
from lightning_modules.perceptual.base import ContentFeatures
from lightning_modules.steps.directions import blend_direction, picture_direction
from lightning_modules.steps.patches import Drawn, cut, random_corners, sizes
from lightning_modules.steps.selective_backward import revisited

FEW = 0.5  # share of views below which looking twice costs less than one way back for all


@dataclass(frozen=True)
class Seen:
    """What the frozen networks see of an output.

    views:   unit vectors (V, D) of the method's views, in their order.
    content: feature maps (1, C, h, w) of the output, a layer each; [] in a step without them.
    """

    views: Tensor
    content: list[Tensor]


class Stylization(LightningModule, ABC):
    """Optimises `generator` for one picture; the networks that judge it are frozen.

    Args:
        generator: what is optimised: painter (the code of a pretrained stylizer), stylenet (the
            papers' U-Net; on the embedded models --model.halve_every 60 --steps 120) or pixels.
        encoder: joint text-image encoder in whose space the style is sought.
        content_features: frozen features in which the content is kept.
        weights: lambda of each loss, by the loss's name; exactly the method's losses, and `gram`
            where a style picture's textures are to be met.
        style_features: frozen features whose Gram matrices are the style picture's textures; for
            the loss `gram`.
        learning_rate: of the optimizer.
        schedule: of the learning rate: halving = the papers' StepLR; linear = it rises over
            the first tenth of the steps, and falls in a line over the others.
        halve_every: steps after which the learning rate is halved; not for linear.
        optimizer: Adam, or lightning_modules.optimizers.soap.Soap, which needs fewer steps.
        betas: shares of what it remembers of gradients and of their squares from step to step.
        composite: blend output and content by the mask, so that where the mask is 0 the output
            is the photo itself.
        keep_color: the output takes only the lightness of the style; the colours (chroma) are the
            photo's.
        strength: how much of the change the final picture shows, in [0, 1]; 0 is the photo.
        brush: sides of the patches, and so of the strokes, relative to the picture's shorter side,
            in (0, 1]: one number, or several that share the patches equally.
        content_every: steps from one look at the content features to the next, 1 = every step, as
            the papers have it. What is seen then counts for all of these steps.
        mode: paper = the paper's formulas; reference = what its published code computes.
        tv_norms: total variation is the sum of four L2 norms (by default: as mode says).
        reject_below: threshold rejection drops s < tau instead of s <= tau (as mode says).
        early_halving: the learning rate halves one step early, at steps 99, 199, ... (as mode
            says).
        extra_step: one step more than trainer.max_steps is taken (as mode says).
        chunk: views that the encoder sees together, 0 = all of them. Fewer need less memory and
            more time, since those that count are computed twice; the gradient is the same.
        memory: GB that the program may take on its device, 0 = what is free. A picture too large
            for it is optimised in parts (lightning_modules/steps/memory.py), or refused.

    Attributes:
        seed: of what the steps draw at random; that of the process when the method was made.
        random: the generator that they draw from.
        followed: share of the encoder's views that had a gradient in the step before.
        taken: how many steps there were.
    """

    most_regions: ClassVar[int] = 1  # how many regions of the picture have a style of their own

    def __init__(
        self,
        generator: Generator,
        encoder: JointEncoder,
        content_features: ContentFeatures,
        weights: dict[str, float],
        style_features: ContentFeatures | None = None,
        learning_rate: float = 5e-4,
        schedule: Literal["halving", "linear"] = "halving",
        halve_every: int = 100,
        optimizer: type[Optimizer] = torch.optim.Adam,
        betas: tuple[float, float] = (0.9, 0.999),
        composite: bool = False,
        keep_color: bool = False,
        strength: float = 1.0,
        brush: float | list[float] = 0.25,
        content_every: int = 1,
        mode: Literal["paper", "reference"] = "paper",
        tv_norms: bool | None = None,
        reject_below: bool | None = None,
        early_halving: bool | None = None,
        extra_step: bool | None = None,
        chunk: int = 0,
        memory: float = 0.0,
    ) -> None:
        super().__init__()
        check_weights(list(weights.values()), "model.weights")
        _check_controls(strength, brush)
        if content_every < 1:
            raise AtelierError(f"content_every is {content_every}; give 1 step or more")
        if not all(0 <= beta < 1 for beta in betas):
            raise AtelierError(f"The betas are {list(betas)}; give two in [0, 1)")
        if "gram" in weights and style_features is None:
            raise AtelierError("The loss gram needs model.style_features; see configs/methods")
        self.generator = generator
        self.encoder = encoder.eval().requires_grad_(False)
        self.content_features = content_features.eval().requires_grad_(False)
        self.style_features = style_features and style_features.eval().requires_grad_(False)
        self.weights = weights
        self.learning_rate = learning_rate
        self.schedule = schedule
        self.halve_every = halve_every
        self.optimizer = optimizer
        self.betas = betas
        self.composite = composite
        self.keep_color = keep_color
        self.strength = strength
        self.brush = brush
        self.content_every = content_every
        self.mode = mode
        self.tv_norms = self.by_mode(tv_norms)
        self.reject_below = self.by_mode(reject_below)
        self.early_halving = self.by_mode(early_halving)
        self.extra_step = self.by_mode(extra_step)
        self.chunk = chunk
        self.memory = memory
        self.followed = 1.0
        self.taken = 0
        self.seed = torch.initial_seed()
        self.random: torch.Generator | None = None

    def by_mode(self, switch: bool | None) -> bool:
        """A switch as it was set or, if it was not, as `mode` says: on in reference."""
        return self.mode == "reference" if switch is None else switch

    def prepare(self, batch: StyleBatch) -> None:
        """Compute once what every step needs; methods add their directions and places."""
        self.random = torch.Generator(batch.content.device).manual_seed(self.seed)
        self.taken = 0
        self.content_embedding = self.encoder.embed_images(self.encoder.view(batch.content))
        (self.content_maps,) = self.content_features.each([batch.content])
        if "gram" in self.weights:
            if batch.style_image is None:
                raise AtelierError("The loss gram needs a style picture; give --style-image FILE")
            self.style_grams = [gram(maps) for maps in self.style_features(batch.style_image)]

    def style_direction(self, batch: StyleBatch, region: int = 0) -> Tensor:
        """dT of a region's styles, (D,); a style picture has an equal say in the first region's."""
        direction = torch.zeros_like(self.content_embedding[0])
        if batch.styles[region]:
            direction += blend_direction(self.encoder, batch.styles[region], batch.source_text)
        if region == 0 and batch.style_image is not None:
            direction += picture_direction(self.encoder, batch.style_image, batch.content)
        return F.normalize(direction, dim=-1)

    def sizes(self, batch: StyleBatch) -> list[int]:
        """Sides of the patches in pixels."""
        return sizes(self.brush, *batch.content.shape[2:])

    def look(self, whole: Tensor, output: Tensor, places: Drawn, distortion: float) -> Tensor:
        """Whole pictures (V, 3, H, W), then warped patches, as (V + N, 3, S, S) for the encoder.

        places: of N patches in `output` (1, 3, H, W).
        """
        return torch.cat([self.encoder.view(whole), self.warped(output, places, distortion)])

    def warped(self, image: Tensor, places: Drawn, distortion: float) -> Tensor:
        """Patches (N, 3, S, S) of a picture, each by a random perspective."""
        patches = []
        for side, boxes in places:
            corners = random_corners(len(boxes), distortion, image.device, self.random)
            patches.append(cut(image, boxes, corners, side, self.encoder.image_size))
        return torch.cat(patches)

    def embed(self, views: Tensor) -> Tensor:
        """Unit vectors (N, D) of views (N, 3, S, S).

        Those without a gradient are spared the way back, if the step before had many of them.
        """
        if not len(views):
            return views.flatten(1)
        few = views.device.type == "cpu" and self.followed < FEW  # asking would stop a GPU
        if self.chunk or few:
            embeddings = revisited(self.encoder.embed_images, views, self.chunk or len(views))
        else:
            embeddings = self.encoder.embed_images(views)
        if embeddings.requires_grad and views.device.type == "cpu":
            embeddings.register_hook(self._count)
        return embeddings

    def _count(self, gradients: Tensor) -> None:
        self.followed = float(gradients.any(dim=1).float().mean())

    def keeping(self, output: Tensor, seen: Seen, batch: StyleBatch) -> dict[str, Tensor]:
        """The losses that all text-guided methods share: content, tv and, if weighted, gram."""
        variation = total_variation_norms if self.tv_norms else total_variation
        kept = {"content": self.content_loss(seen), "tv": variation(output)}
        return kept | ({"gram": self.gram_loss(output, batch)} if "gram" in self.weights else {})

    def content_loss(self, seen: Seen) -> Tensor:
        """How far the output's content features are from the content image's.

        In a step without a look: as far as at the last one, whose gradient stood for this step too.
        """
        if seen.content:
            loss = content_loss(seen.content, self.content_maps)
            self.last_content = loss.detach()
            return loss + (self.content_every - 1) * (loss - self.last_content)
        return self.last_content

    def gram_loss(self, output: Tensor, batch: StyleBatch) -> Tensor:
        """How far the first region's textures are from the style picture's."""
        (maps,) = self.style_features.each([output])
        return gram_loss([gram(m, batch.masks[:, :1]) for m in maps], self.style_grams)

    @abstractmethod
    def views(self, output: Tensor, batch: StyleBatch) -> Tensor:
        """What the encoder is to see in this step, (V, 3, S, S) in [0, 1].

        output: (1, 3, H, W) in [0, 1].
        """

    @abstractmethod
    def losses(self, output: Tensor, seen: Seen, batch: StyleBatch) -> dict[str, Tensor]:
        """Each loss of the method as a scalar, by name. output: (1, 3, H, W) in [0, 1]."""

    @classmethod
    def check(cls, targets: Sequence[StyleTarget]) -> None:
        """AtelierError if the method cannot serve so many regions."""
        named = [name for name, _ in regions(tuple(targets))]
        if len(named) > cls.most_regions:
            takes = "one region" if cls.most_regions == 1 else f"{cls.most_regions} regions"
            raise AtelierError(
                f"{cls.__name__} gives a style to {takes}, but {len(named)} are asked for "
                f"({', '.join(named)}); name fewer, or choose --method fusion"
            )

    def forward(self, batch: StyleBatch) -> Tensor:
        """The picture that is optimised, (1, 3, H, W) in [0, 1]."""
        return self.blended(self.generator(batch.content), batch)

    def blended(self, stylized: Tensor, batch: StyleBatch) -> Tensor:
        """What the generator has painted, with what is to stay the photo's: colours, background."""
        if self.keep_color:
            # The same step in R, G and B changes luma alone: Cb and Cr are differences from it.
            stylized = (batch.content + _luma(stylized) - _luma(batch.content)).clamp(0, 1)
        if not self.composite:
            return stylized
        # content + mask * change, not a weighted sum: exact where the mask is 0.
        union = batch.masks.sum(1, keepdim=True).clamp(max=1)
        return batch.content + union * (stylized - batch.content)

    @torch.no_grad()
    def stylize(self, batch: StyleBatch) -> Tensor:
        """The picture that is shown, (1, 3, H, W) in [0, 1]: `strength` of the way to the output.

        Not a part of the optimisation, which would only paint the harder for it.
        """
        return batch.content + self.strength * (self(batch) - batch.content)

    def training_step(self, batch: StyleBatch, batch_idx: int) -> dict[str, Tensor]:
        (losses,) = step([self], [batch])
        logged = {"total" if name == "loss" else name: value for name, value in losses.items()}
        self.log_dict(logged, batch_size=1)
        return losses

    def configure_optimizers(self) -> dict:
        optimizer = self.optimizer([self.parameter_group()])
        schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, self.relative_rate)
        return {
            "optimizer": optimizer,
            "lr_scheduler": {"scheduler": schedule, "interval": "step"},
        }

    def parameter_group(self) -> dict:
        """What the optimizer is given: the generator's weights and their settings."""
        weights = [weight for weight in self.generator.parameters() if weight.requires_grad]
        return {"params": weights, "lr": self.learning_rate, "betas": self.betas}

    def relative_rate(self, step: int) -> float:
        """Share of the learning rate that a step takes, counted from 0."""
        if self.schedule == "halving":
            return 0.5 ** ((step + self.early_halving) // self.halve_every)
        steps = self.trainer.max_steps
        return min((step + 1) / max(1, steps // 10), (steps - step) / (0.9 * steps))


def step(runs: Sequence[Stylization], batches: Sequence[StyleBatch]) -> list[dict[str, Tensor]]:
    """The losses of each run's next step, by name; `loss` is their weighted sum, with a gradient.

    The frozen networks are the first run's, and look at all outputs in one call each.
    """
    for run, batch in zip(runs, batches, strict=True):
        if run.random is None:
            with torch.no_grad():
                run.prepare(batch)
    painted = paint([run.generator for run in runs], [batch.content for batch in batches])
    outputs = [run.blended(*own) for run, *own in zip(runs, painted, batches, strict=True)]
    views = [run.views(*own) for run, *own in zip(runs, outputs, batches, strict=True)]
    embeddings = runs[0].embed(torch.cat(views)).split([len(part) for part in views])
    looks = runs[0].taken % runs[0].content_every == 0
    maps = runs[0].content_features.each(outputs) if looks else [[] for _ in runs]
    results = []
    for run, batch, output, *seen in zip(runs, batches, outputs, embeddings, maps, strict=True):
        losses = run.losses(output, Seen(*seen), batch)
        run.taken += 1
        total = weighted_sum(losses, run.weights)
        results.append({"loss": total} | {name: loss.detach() for name, loss in losses.items()})
    return results


def _luma(image: Tensor) -> Tensor:
    """Luma (N, 1, H, W) of pictures (N, 3, H, W), ITU-R BT.601."""
    red, green, blue = image.split(1, dim=1)
    return 0.299 * red + 0.587 * green + 0.114 * blue


def _check_controls(strength: float, brush: float | list[float]) -> None:
    if not 0 <= strength <= 1:
        raise AtelierError(f"The strength is {strength:g}; give one from 0 (the photo) to 1")
    brushes = brush if isinstance(brush, list) else [brush]
    if not brushes or not all(0 < share <= 1 for share in brushes):
        raise AtelierError(
            f"The brush is {brush}; give patch sizes in (0, 1], relative to the picture's shorter "
            "side, such as 0.25"
        )


def weighted_sum(losses: dict[str, Tensor], weights: dict[str, float]) -> Tensor:
    """Sum of lambda_i * L_i; AtelierError if a loss has no weight or a weight no loss."""
    if losses.keys() != weights.keys():
        raise AtelierError(
            f"model.weights names {sorted(weights)}, but this method's losses are "
            f"{sorted(losses)}: give each exactly one weight (0 switches it off)"
        )
    return sum(weights[name] * loss for name, loss in losses.items())
