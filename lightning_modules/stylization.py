"""The loop that all methods share: a generator is optimised until an encoder sees the style.

A method is a subclass with one function, `losses(output, batch)`, that reads as its paper's
algorithm. Everything else is here: the optimizer, the composite, the weighted sum, the log.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from lightning import LightningModule
from torch import Tensor

from datamodules.errors import AtelierError
from datamodules.task import StyleBatch
from lightning_modules.encoders.base import JointEncoder
from lightning_modules.generator import Generator
from lightning_modules.perceptual.base import ContentFeatures


class Stylization(LightningModule, ABC):
    """Optimises `generator` for one picture; the networks that judge it are frozen.

    Args:
        generator: the network that is optimised, e.g. StyleNet.
        encoder: joint text-image encoder in whose space the style is sought.
        content_features: frozen features in which the content is kept.
        weights: lambda of each loss, by the loss's name; exactly the method's losses.
        learning_rate: of Adam.
        halve_every: steps after which the learning rate is halved (StepLR).
        composite: blend output and content by the mask, so that where the mask is 0 the output
            is the photo itself.
    """

    def __init__(
        self,
        generator: Generator,
        encoder: JointEncoder,
        content_features: ContentFeatures,
        weights: dict[str, float],
        learning_rate: float = 5e-4,
        halve_every: int = 100,
        composite: bool = False,
    ) -> None:
        super().__init__()
        self.generator = generator
        self.encoder = encoder.eval().requires_grad_(False)
        self.content_features = content_features.eval().requires_grad_(False)
        self.weights = weights
        self.learning_rate = learning_rate
        self.halve_every = halve_every
        self.composite = composite
        self._prepared = False

    @abstractmethod
    def prepare(self, batch: StyleBatch) -> None:
        """Compute once what every step needs: text directions, features of the content, places."""

    @abstractmethod
    def losses(self, output: Tensor, batch: StyleBatch) -> dict[str, Tensor]:
        """Each loss of the method as a scalar, by name. output: (1, 3, H, W) in [0, 1]."""

    def forward(self, batch: StyleBatch) -> Tensor:
        """The stylized picture (1, 3, H, W) in [0, 1]."""
        stylized = self.generator(batch.content)
        if not self.composite:
            return stylized
        # content + mask * change, not a weighted sum: exact where the mask is 0.
        return batch.content + batch.masks.amax(1, keepdim=True) * (stylized - batch.content)

    def training_step(self, batch: StyleBatch, batch_idx: int) -> dict[str, Tensor]:
        if not self._prepared:
            with torch.no_grad():
                self.prepare(batch)
            self._prepared = True
        losses = self.losses(self(batch), batch)
        total = weighted_sum(losses, self.weights)
        self.log_dict({"total": total, **losses}, batch_size=1)
        return {"loss": total} | {name: loss.detach() for name, loss in losses.items()}

    def configure_optimizers(self) -> dict:
        optimizer = torch.optim.Adam(self.generator.parameters(), lr=self.learning_rate)
        schedule = torch.optim.lr_scheduler.StepLR(optimizer, self.halve_every, gamma=0.5)
        return {
            "optimizer": optimizer,
            "lr_scheduler": {"scheduler": schedule, "interval": "step"},
        }


def weighted_sum(losses: dict[str, Tensor], weights: dict[str, float]) -> Tensor:
    """Sum of lambda_i * L_i; AtelierError if a loss has no weight or a weight no loss."""
    if losses.keys() != weights.keys():
        raise AtelierError(
            f"model.weights names {sorted(weights)}, but this method's losses are "
            f"{sorted(losses)}: give each exactly one weight (0 switches it off)"
        )
    return sum(weights[name] * loss for name, loss in losses.items())
