"""Optimisation that all methods share: a generator is trained until an encoder finds the style.

A method is a subclass with three functions that read as its paper's algorithm: `prepare(batch)`,
once before the first step; `views(output, batch)`, the pictures that the encoder embeds; and
`losses(output, features, batch)` (lightning_modules/steps/contract.py says exactly what they take
and return). This module has the rest: optimizer, blending with the photo, the losses that preserve
the content, the weighted sum and the log.
"""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

import torch
from lightning import LightningModule
from lightning.pytorch.cli import LRSchedulerCallable, OptimizerCallable
from torch import Tensor, nn

from datamodules.stylization import StylizationDataModule
from datamodules.support.errors import AtelierError, reason
from datamodules.task import (
    Blend,
    StyleBatch,
    StyleTarget,
    alike,
    check_weights,
    styles_by_area,
)
from lightning_modules.encoders.base import JointEncoder
from lightning_modules.generators.base import Generator
from lightning_modules.losses.patch import threshold_rejection
from lightning_modules.losses.total_variation import total_variation, total_variation_norms
from lightning_modules.optimizers.making import optimizer_of, rates_of
from lightning_modules.optimizers.schedules import Halving
from lightning_modules.perceptual.base import ContentFeatures
from lightning_modules.steps.blending import Blending
from lightning_modules.steps.contract import (
    check_losses,
    check_names,
    check_prepared,
    check_views,
)
from lightning_modules.steps.deviations import Deviations, Mode
from lightning_modules.steps.directions import style_directions
from lightning_modules.steps.graph import PLAIN, StepGraph
from lightning_modules.steps.observer import Observer
from lightning_modules.steps.patches import Patches, check_brush, covered_boxes, every_box, sizes
from lightning_modules.steps.shared_losses import SharedLosses
from lightning_modules.steps.style_texts import check_texts
from lightning_modules.steps.viewer import Viewer

log = logging.getLogger(__name__)

MOSTLY = 0.8  # share of a patch that must not be transparent


@dataclass(frozen=True)
class Features:
    """Features of one output by the frozen networks.

    embeddings: unit vectors (V, D) of the method's views, in their order.
    content:    feature maps (1, C, h, w), one per layer; [] in steps that do not compute them.
    """

    embeddings: Tensor
    content: list[Tensor]


class Stylization(LightningModule, ABC):
    """Optimisation of a generator for one picture, judged by frozen networks.

    Args:
        generator: network that is optimised: painter (the code of a pretrained stylizer), stylenet
            (the papers' U-Net; on the embedded models --model.lr_scheduler.every 60 --steps 120),
            small_unet (with trained starts) or pixels.
        encoder: joint text-image encoder in whose space styles are directions.
        content_features: frozen features that preserve the content; None only where no step is
            taken.
        weights: lambda of each loss by its name: exactly the method's losses, and `gram` for the
            textures of a style picture.
        style_features: frozen features whose Gram matrices are a style picture's textures; needed
            for the loss `gram`.
        optimizer: any optimizer of PyTorch or lightning_modules.optimizers.soap.Soap, which needs
            fewer steps; --model.optimizer.lr is the learning rate.
        lr_scheduler: schedule of the learning rate: lightning_modules.optimizers.schedules.Halving
            (the papers' StepLR), Linear, or any of PyTorch's; it advances once per step.
        blending: parts of the photo that stay in the picture.
        brush: sides of the patches, and so of the strokes, relative to the picture's shorter side,
            in (0, 1], or in pixels, 8 or more: one number, or several that share the patches
            equally.
        content_every: steps from one evaluation of the content features to the next, 1 = every
            step, as in the papers. Its gradient is scaled to cover the steps between.
        mode: paper = the paper's formulas; reference = the published code's.
        deviations: single deviations of the published code, on or off whatever `mode` says.
        chunk: views that the encoder embeds at a time, 0 = all of them. Fewer need less memory and
            more time, because views with a gradient are embedded twice; the gradient is the same.
        memory: GB that the program may use on its device, 0 = whatever is free. A picture too large
            for it is optimised in parts (lightning_modules/steps/memory.py), or refused.
        graph: on a GPU, record a step as a CUDA graph and replay it, which gives the same numbers
            in less time (lightning_modules/steps/graph.py).

    Attributes:
        patches: number and distortion of the patches per step; None if the method cuts none.
        random: random numbers of the steps, seeded with `seed` (of the process at construction).
        step_count: number of steps since `prepare`.
        viewer: composes and embeds the views. shared: losses that all methods share.
        reject: threshold rejection R(losses, tau) of the patch losses.
        configuration: of the whole run, as YAML; "" for a method that was made by hand.
        begun: whether the generator has started from a picture.
        observer: listener of the steps, to be set before `prepare`; by default ignores everything.
    """

    strict_loading = False  # checkpoints hold the generator alone
    most_regions: ClassVar[int] = 1  # regions of the picture that can have a style of their own
    patches: Patches | None = None
    configuration: str = ""
    begun: bool = False

    def __init__(
        self,
        *,
        generator: Generator,
        encoder: JointEncoder,
        content_features: ContentFeatures | None,
        weights: dict[str, float],
        style_features: ContentFeatures | None = None,
        optimizer: OptimizerCallable = lambda weights: torch.optim.Adam(weights, lr=5e-4),
        lr_scheduler: LRSchedulerCallable = Halving,
        blending: Blending = Blending(),
        brush: float | list[float] = 0.25,
        content_every: int = 1,
        mode: Mode = "paper",
        deviations: Deviations = Deviations(),
        chunk: int = 0,
        memory: float = 0.0,
        graph: bool = True,
    ) -> None:
        super().__init__()
        _check(weights, style_features, brush, content_every)
        self.generator = generator
        self.encoder = encoder.eval().requires_grad_(False)
        self.content_features = content_features and content_features.eval().requires_grad_(False)
        self.style_features = style_features and style_features.eval().requires_grad_(False)
        self.weights = weights
        self.optimizer = optimizer
        self.lr_scheduler = lr_scheduler
        self.blending = blending
        self.brush = brush
        self.content_every = content_every
        self.deviations = deviations.completed(mode)
        self.chunk = chunk
        self.memory = memory
        self.graph = graph
        self.seed = torch.initial_seed()
        self.resumed: dict[str, Any] = {}
        self.reject = partial(threshold_rejection, reject_below=self.deviations.reject_below)
        self.observer = Observer()
        self._optimizer([nn.Parameter(torch.zeros(1))], steps=1)  # refuses wrong settings at once

    @classmethod
    def check(cls, targets: Sequence[StyleTarget]) -> None:
        """AtelierError if there are more regions than the method can serve; areas of one style are
        one region.
        """
        styles = styles_by_area(targets)
        count = len(alike(styles))
        if count > cls.most_regions:
            limit = "one region" if cls.most_regions == 1 else f"{cls.most_regions} regions"
            names = ", ".join(area.label for area in styles)
            raise AtelierError(
                f"{cls.__name__} gives a style to {limit}, but {count} are asked for "
                f"({names}); name fewer, or choose --method fusion"
            )

    def check_exceptions(self, targets: Sequence[StyleTarget]) -> None:
        """AtelierError if something is to stay as it is where the method paints everywhere."""
        phrases = [phrase for target in targets for phrase in target.exceptions]
        if phrases and not self.blending.composite:
            raise AtelierError(
                f"{phrases[0]!r} is to stay as it is, but {type(self).__name__} changes the whole "
                "picture; add --composite, or choose --method soulstyler"
            )

    def setup(self, stage: str | None = None) -> None:
        """Begin with the data of the trainer; other data than ours have started it themselves."""
        data = self.trainer.datamodule
        if data is None:
            raise AtelierError(
                f"{type(self).__name__} takes its picture from a StylizationDataModule; give it "
                "to trainer.fit(module, datamodule=data)"
            )
        if self.trainer.max_steps < 0:
            raise AtelierError("One picture has no end of steps; give Trainer(max_steps=60)")
        if isinstance(data, StylizationDataModule):
            self.begin(data)

    def begin(self, data: StylizationDataModule, ends: Sequence[Blend] = ()) -> None:
        """Check that the method can serve a request, and start its generator from it, once.

        ends: further styles that will be painted. Raises AtelierError for more regions than the
        method serves, exceptions where it paints everywhere, and texts that it cannot read.
        """
        if self.begun:
            return
        self.check(data.targets)
        self.check_exceptions(data.targets)
        blends = [*styles_by_area(data.targets).values(), *ends]
        texts = [text for blend in blends for _, text in blend]
        self.generator.check(texts, bool(data.style_image))
        data.setup()
        batch = data.task.batch()
        check_texts(self.encoder, [*batch.styles, *ends])
        self.generator.start(batch)
        self.begun = True

    @torch.no_grad()
    def on_fit_start(self) -> None:
        if not self.trainer.max_steps:  # a network in one pass
            return
        data = self.trainer.datamodule
        batch = next(iter(data.train_dataloader()))
        self.prepare(data.transfer_batch_to_device(batch, self.device, 0))
        check_prepared(self)

    def prepare(self, batch: StyleBatch) -> None:
        """Compute once what every step needs; methods add their directions and places."""
        self.random = torch.Generator(batch.content.device).manual_seed(self.seed)
        self.step_count = 0
        self.recorded: StepGraph | None = None
        self.viewer = Viewer(
            self.encoder,
            self.patches,
            self.random,
            self.observer,
            self.chunk,
            antialias=not self.deviations.aliased_view,
        )
        self.content_embedding = self.encoder.embed_images(self.viewer.view(batch.content))
        self.shared = SharedLosses(
            batch,
            self.content_features,
            self.style_features if "gram" in self.weights else None,
            total_variation_norms if self.deviations.tv_norms else total_variation,
            self.content_every,
            self.observer,
        )

    @abstractmethod
    def views(self, output: Tensor, batch: StyleBatch) -> Tensor:
        """Pictures (V, 3, S, S) in [0, 1] that the encoder embeds in this step.

        output: (1, 3, H, W) in [0, 1]. S: encoder.image_size.
        """

    @abstractmethod
    def losses(self, output: Tensor, features: Features, batch: StyleBatch) -> dict[str, Tensor]:
        """Losses of the method, a scalar per name. output: (1, 3, H, W) in [0, 1]."""

    def training_step(self, batch: StyleBatch, batch_idx: int) -> dict[str, Tensor]:
        losses = self._recorded_step(batch) if self._recordable() else self.step(batch)
        names = ["total" if name == "loss" else name for name in losses]
        with self.observer.stage("logging"):
            self.log_dict(dict(zip(names, losses.values(), strict=True)), batch_size=1)
        return losses

    def backward(self, loss: Tensor, *others: Any, **settings: Any) -> None:
        if loss.requires_grad:
            super().backward(loss, *others, **settings)
        else:  # of a replay, which has made the gradients already
            self.recorded.give_gradients()

    def _recordable(self) -> bool:
        """Whether the next step is one like all others, on a device that can record it."""
        alike = self.content_every == 1 and self.step_count >= PLAIN
        return self.graph and self.device.type == "cuda" and alike and not self.observer.watching

    def _recorded_step(self, batch: StyleBatch) -> dict[str, Tensor]:
        """`step` by a replay; the first time it is recorded, or else never again tried."""
        try:
            if self.recorded is None:
                weights = [w for w in self.generator.parameters() if w.requires_grad]
                self.recorded = StepGraph(lambda: self.step(batch), weights, self.random)
                self.step_count -= 1  # the record itself computes nothing
        except RuntimeError as error:
            log.warning("This step cannot be recorded as a CUDA graph: %s", reason(error))
            self.graph = False
            return self.step(batch)
        self.step_count += 1
        return self.recorded.replay()

    def step(self, batch: StyleBatch) -> dict[str, Tensor]:
        """Losses of the next step by name; `loss` is their weighted sum, with a gradient."""
        output = self(batch)
        views = self.views(output, batch)
        check_views(self, views)
        embeddings = self.viewer.embed(views)
        (maps,) = self.shared.maps([output], self.step_count)
        return self.total(output, Features(embeddings, maps), batch)

    def total(self, output: Tensor, features: Features, batch: StyleBatch) -> dict[str, Tensor]:
        """The last part of a step: its losses by name, and `loss`, their weighted sum."""
        losses = self.losses(output, features, batch)
        check_losses(self, losses)
        self.step_count += 1
        total = weighted_sum(losses, self.weights)
        return {"loss": total} | {name: loss.detach() for name, loss in losses.items()}

    def forward(self, batch: StyleBatch) -> Tensor:
        """Output that is optimised, (1, 3, H, W) in [0, 1]."""
        with self.observer.stage("generator"):
            painted = self.generator(batch.content)
        return self.blending.blend(painted, batch)

    @torch.no_grad()
    def stylize(self, batch: StyleBatch) -> Tensor:
        """Final picture, (1, 3, H, W) in [0, 1]."""
        return self.blending.final(self(batch), batch)

    def sizes(self, batch: StyleBatch) -> list[int]:
        """Sides of the patches in pixels."""
        return sizes(self.brush, *batch.content.shape[2:])

    def boxes(self, batch: StyleBatch) -> list[Tensor]:
        """Boxes (M, 3) of each patch size, wherever the picture may change."""
        shape, device = batch.content.shape[2:], batch.content.device
        if batch.strength is None:
            return [every_box(*shape, side, device) for side in self.sizes(batch)]
        free = (batch.strength[0, 0] > 0).float()
        return [covered_boxes(free, side, MOSTLY) for side in self.sizes(batch)]

    def directions_of(self, batch: StyleBatch) -> Tensor:
        """dT of each region's styles, (K, D), each of length 1."""
        return style_directions(self.encoder, batch, bool(self.deviations.raw_text_average))

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Leave the frozen networks out, and add what one step leaves for the next."""
        trained = {name for name, weight in self.named_parameters() if weight.requires_grad}
        state = checkpoint["state_dict"]
        checkpoint["state_dict"] = {name: state[name] for name in state.keys() & trained}
        checkpoint["steps"] = {
            "random": self.random.get_state(),
            "content": self.shared.last_content,
        }

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        self.resumed = {"count": checkpoint["global_step"]} | checkpoint["steps"]

    def on_train_start(self) -> None:
        """Go on from the steps of a checkpoint, after `prepare`."""
        if self.resumed:
            self.step_count = self.resumed["count"]
            self.random.set_state(self.resumed["random"].cpu())
            self.shared.last_content = self.resumed["content"].to(self.device)

    def configure_optimizers(self) -> dict:
        weights = [weight for weight in self.generator.parameters() if weight.requires_grad]
        return self._optimizer(weights, self.trainer.max_steps)

    def same_rates(self, steps: int, others: int, count: int) -> bool:
        """Whether runs of `steps` and of `others` steps have the same `count` first learning rates.

        So it is unless their schedule knows the length of the run.
        """
        one, other = (
            rates_of(self._optimizer([nn.Parameter(torch.zeros(1))], length), count)
            for length in (steps, others)
        )
        return one == other

    def _optimizer(self, weights: list[nn.Parameter], steps: int) -> dict:
        early = self.deviations.early_halving
        return optimizer_of(self.optimizer, self.lr_scheduler, weights, steps, early)


def weighted_sum(losses: dict[str, Tensor], weights: dict[str, float]) -> Tensor:
    """Sum of lambda_i * L_i; AtelierError if a loss has no weight or a weight no loss."""
    check_names(losses, weights)
    return sum(weights[name] * loss for name, loss in losses.items())


def _check(
    weights: dict[str, float],
    style_features: ContentFeatures | None,
    brush: float | list[float],
    content_every: int,
) -> None:
    """AtelierError for settings outside of their ranges."""
    check_weights(list(weights.values()), "model.weights")
    if "gram" in weights and style_features is None:
        raise AtelierError("The loss gram needs model.style_features; see configs/methods")
    check_brush(brush)
    if content_every < 1:
        raise AtelierError(f"content_every is {content_every}; give 1 step or more")
