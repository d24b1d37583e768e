"""Training of a network that paints the styles of texts in one pass, on photos of all kinds.

A step paints a batch of photo crops, each in the style of its text, and compares them in the joint
space as CLIPstyler does (Kwon and Ye 2022, section 3.4; FastCLIPstyler, Suresh et al. 2024): every
picture and its patches move in the direction of the text, content and smoothness are preserved. All
losses are means over the pictures, so that the gradient of a batch is the mean of the gradients of
its parts, on however many devices.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from lightning import LightningModule
from lightning.pytorch.cli import LRSchedulerCallable, OptimizerCallable
from torch import Tensor, nn

from datamodules.photos import PhotoBatch
from datamodules.support.errors import AtelierError
from datamodules.support.suggestions import there_are
from datamodules.task import Blend, check_weights
from lightning_modules.encoders.base import JointEncoder
from lightning_modules.generators.one_pass import OnePass
from lightning_modules.losses.content import content_loss
from lightning_modules.losses.contrastive import contrastive_loss
from lightning_modules.losses.directional import directional_loss
from lightning_modules.losses.patch import patch_loss, threshold_rejection
from lightning_modules.losses.total_variation import total_variation, variation_norms
from lightning_modules.optimizers.making import optimizer_of
from lightning_modules.optimizers.schedules import Hyperbolic
from lightning_modules.perceptual.base import ContentFeatures
from lightning_modules.steps.deviations import Deviations, Mode
from lightning_modules.steps.directions import blend_direction, embed_prompted
from lightning_modules.steps.hashing import uniforms
from lightning_modules.steps.patches import Patches, check_brush, cut, moved_corners, sizes
from lightning_modules.steps.selective_backward import Selection

TRAINED = "generator.network."  # names of the weights that training changes begin so


@dataclass(frozen=True)
class TrainingDeviations(Deviations):
    """Deviations of CLIPstyler's published fast mode from the formulas.

    `extra_step` and `stretched_contrast` concern runs of one picture and mean nothing here.

    Args:
        shared_perspective: all pictures of a step have the same patches, warped alike.
    """

    shared_perspective: bool | None = None


@dataclass(frozen=True)
class Painted:
    """One batch of a step, painted.

    batch:      photos (N, 3, S, S) and their styles.
    styles:     the network's styles of the N blends, (N, ...).
    output:     the painted pictures, float32 (N, 3, S, S).
    source:     embeddings of the photos, unit vectors (N, D).
    moved:      those of the painted pictures.
    directions: dT of each picture's style, unit vectors (N, D).
    """

    batch: PhotoBatch
    styles: Tensor
    output: Tensor
    source: Tensor
    moved: Tensor
    directions: Tensor


class Training(LightningModule):
    """Training of a one-pass network, judged by frozen networks.

    Losses: `global`, `patch`, `content` and `tv`, as those of CLIPstyler, `contrastive` of the
    picture's style against all others of the training, and the generator's own. Those that
    `weights` names are computed.

    Args:
        generator: the network that is trained.
        encoder: joint text-image encoder in whose space styles are directions.
        content_features: frozen features that preserve the content.
        weights: lambda of each loss by its name.
        patches: number and distortion of the patches per picture.
        brush: side of the patches relative to the crop, in (0, 1], or in pixels, 8 or more; 1 = the
            whole crop, as in CLIPstyler's fast mode.
        tau: threshold rejection: patches whose directional loss is at most tau are left alone.
        temperature: of the loss `contrastive`, > 0; lower = only the nearest wrong styles count.
        optimizer: any optimizer of PyTorch; --model.optimizer.lr is the learning rate.
        lr_scheduler: schedule of the learning rate; it advances once per step.
        source_text: describes the photos where texts are compared.
        prompted: average a text's embedding over 79 prompts, as the papers do. Without, the texts
            are ready 80 times sooner, which counts where there are thousands.
        mode: paper = the paper's formulas; reference = the published code's.
        deviations: single deviations of the published code, on or off whatever `mode` says.
        chunk: patches that the encoder embeds at a time, 0 = all of them: less memory and more
            time, the same gradient.

    Attributes:
        blends: all styles of the training, which `contrastive` compares; () = those of the batch.
        seed: of the process at construction. Random numbers of a step depend on it and on the
            numbers of the samples alone.
    """

    strict_loading = False  # checkpoints hold the trained weights alone

    def __init__(
        self,
        generator: OnePass,
        encoder: JointEncoder,
        content_features: ContentFeatures,
        weights: dict[str, float],
        patches: Patches = Patches(count=16),
        brush: float = 1.0,
        tau: float = 0.7,
        temperature: float = 0.1,
        optimizer: OptimizerCallable = lambda weights: torch.optim.Adam(weights, lr=1e-4),
        lr_scheduler: LRSchedulerCallable = Hyperbolic,
        source_text: str = "a Photo",
        prompted: bool = True,
        mode: Mode = "paper",
        deviations: TrainingDeviations = TrainingDeviations(),
        chunk: int = 0,
    ) -> None:
        super().__init__()
        check_weights(list(weights.values()), "model.weights")
        check_brush(brush)
        if not temperature > 0:
            raise AtelierError(f"The temperature is {temperature:g}; give one greater than 0")
        self.generator = generator.eval().requires_grad_(False)
        self.generator.network.train()
        self.trained = generator.trainable()
        self.encoder = encoder.eval().requires_grad_(False)
        self.content_features = content_features.eval().requires_grad_(False)
        self.weights = weights
        self.patches, self.brush, self.tau = patches, brush, tau
        self.temperature = temperature
        self.optimizer, self.lr_scheduler = optimizer, lr_scheduler
        self.source_text, self.prompted = source_text, prompted
        self.deviations = deviations.completed(mode)
        self.chunk = chunk
        self.blends: Sequence[Blend] = ()
        self.seed = torch.initial_seed()
        self.selection = Selection()
        self._texts: dict[str, Tensor] = {}
        self._directions: dict[Blend, Tensor] = {}
        self._optimizer([nn.Parameter(torch.zeros(1))], steps=1)  # refuses wrong settings at once

    def training_step(self, batch: PhotoBatch, batch_idx: int) -> dict[str, Tensor]:
        # For networks that draw numbers themselves, such as dropout: the same after a break.
        place = batch_idx * self.trainer.world_size + self.trainer.global_rank
        torch.manual_seed(self.seed + place)
        losses = self.losses(self.painted(batch))
        total = sum(self.weights[name] * loss for name, loss in losses.items())
        return {"loss": total} | {name: loss.detach() for name, loss in losses.items()}

    def painted(self, batch: PhotoBatch) -> Painted:
        """The batch, painted, and what its losses are compared with."""
        styles = self.generator.styles(batch.styles)
        # In full precision: coordinates and small differences follow.
        output = self.generator.paint(batch.contents, styles).float()
        with torch.no_grad():
            source = self._whole(batch.contents)
        directions = self.directions(batch.styles)
        return Painted(batch, styles, output, source, self._whole(output), directions)

    def losses(self, painted: Painted) -> dict[str, Tensor]:
        """The losses that `weights` names, scalars by name.

        Raises AtelierError for a name that neither training nor the network has.
        """
        own = self.generator.own_losses(painted.styles, painted.batch.styles)
        terms = self.terms()
        names = [*terms, *own]
        if unknown := [name for name in self.weights if name not in names]:
            raise AtelierError(
                f"{type(self.generator).__name__} has no loss {unknown[0]!r} for model.weights"
                + there_are(unknown[0], names)
            )
        return {name: terms[name](painted) if name in terms else own[name] for name in self.weights}

    def terms(self) -> dict[str, Callable[[Painted], Tensor]]:
        """Losses by name as functions of a painted batch; a subclass adds its own."""
        return {
            "global": self._global,
            "patch": self._patch,
            "contrastive": self._contrastive,
            "content": self._content,
            "tv": self._variation,
        }

    def _global(self, painted: Painted) -> Tensor:
        return directional_loss(painted.moved, painted.source, painted.directions).mean()

    def _contrastive(self, painted: Painted) -> Tensor:
        styles = self.blends or list(dict.fromkeys(painted.batch.styles))
        own = torch.tensor([styles.index(blend) for blend in painted.batch.styles])
        return contrastive_loss(
            painted.moved,
            painted.source,
            self.directions(styles),
            own.to(self.device),
            self.temperature,
        )

    def _patch(self, painted: Painted) -> Tensor:
        count = self.patches.count
        patches = self.selection.embed(self.encoder.embed_images, self.cut(painted), self.chunk)
        source, directions = (
            rows.repeat_interleave(count, dim=0) for rows in (painted.source, painted.directions)
        )
        losses = directional_loss(patches.float(), source, directions)
        reject = partial(threshold_rejection, reject_below=bool(self.deviations.reject_below))
        return patch_loss(losses, self.tau, reject=reject)

    def _content(self, painted: Painted) -> Tensor:
        with torch.no_grad():
            content = self.content_features(painted.batch.contents)
        return content_loss(self.content_features(painted.output), content)

    def _variation(self, painted: Painted) -> Tensor:
        output = painted.output
        if not self.deviations.tv_norms:
            return total_variation(output) / len(output)
        # The published norms are those of the whole batch, which several processes may share.
        norms = torch.stack(variation_norms(output))
        if torch.distributed.is_initialized():
            norms = self.all_gather(norms, sync_grads=True).norm(dim=0)
        return norms.sum()

    def cut(self, painted: Painted) -> Tensor:
        """Patches (N * count, 3, S, S) of the N painted pictures, picture after picture."""
        output, batch, settings = painted.output, painted.batch, self.patches
        height, width = output.shape[2:]
        (side,) = sizes(self.brush, height, width)
        keys = batch.steps if self.deviations.shared_perspective else batch.numbers
        random = uniforms(self.seed, keys, 10 * settings.count).view(-1, 10)
        left, top = random[:, 0] * (width - side + 1), random[:, 1] * (height - side + 1)
        boxes = torch.stack([left.floor(), top.floor(), torch.full_like(left, side)], dim=1)
        corners = moved_corners(random[:, 2:].view(-1, 4, 2), settings.distortion)
        size = self.encoder.image_size
        with torch.autocast(output.device.type, enabled=False):  # coordinates need all their bits
            return cut(output, boxes, corners, side, size, settings.through, settings.fade_twice)

    def _whole(self, pictures: Tensor) -> Tensor:
        """Embeddings (N, D) of whole pictures (N, 3, S, S), unit vectors in float32."""
        view = self.encoder.view(pictures, antialias=not self.deviations.aliased_view)
        return self.encoder.embed_images(view).float()

    def directions(self, blends: Sequence[Blend]) -> Tensor:
        """dT of N blends, (N, D), each computed once."""
        cache = self._directions
        for blend in blends:
            if blend not in cache or cache[blend].device != self.device:
                with torch.autocast(self.device.type, enabled=False):
                    direction = blend_direction(self.embed, blend, self.embed(self.source_text))
                cache[blend] = direction.float().to(self.device)
        return torch.stack([cache[blend] for blend in blends])

    @torch.no_grad()
    def embed(self, text: str) -> Tensor:
        """E_T of a text, a unit vector (D,), computed once."""
        if text not in self._texts:
            average = bool(self.deviations.raw_text_average)
            self._texts[text] = (
                embed_prompted(self.encoder, text, average)
                if self.prompted
                else self.encoder.embed_texts([text])[0]
            ).cpu()
        return self._texts[text]

    def configure_optimizers(self) -> dict[str, Any]:
        return self._optimizer(self.trained, self.trainer.max_steps)

    def _optimizer(self, weights: list[nn.Parameter], steps: int) -> dict[str, Any]:
        early = self.deviations.early_halving
        return optimizer_of(self.optimizer, self.lr_scheduler, weights, steps, early)

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Leave the frozen networks out."""
        state = checkpoint["state_dict"]
        checkpoint["state_dict"] = {k: v for k, v in state.items() if k.startswith(TRAINED)}

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Count the batches from whole steps: those of a step that was not finished come again."""
        batches = checkpoint["global_step"] * self.trainer.accumulate_grad_batches
        progress = checkpoint["loops"]["fit_loop"]["epoch_loop.batch_progress"]
        for part in ("total", "current"):
            progress[part] = dict.fromkeys(progress[part], batches)
