"""Losses that all methods share: content, total variation and the textures of a style picture."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from torch import Tensor

from datamodules.support.errors import AtelierError
from datamodules.task import StyleBatch
from lightning_modules.losses.content import content_loss
from lightning_modules.losses.gram import gram, gram_loss
from lightning_modules.perceptual.base import ContentFeatures
from lightning_modules.steps.observer import Observer


class SharedLosses:
    """Losses `content`, `tv` and `gram` of the outputs for one batch.

    Args:
        batch: photo, masks and style picture.
        content_features: frozen features that preserve the content.
        style_features: frozen features of the loss `gram`; None: without this loss.
        variation: function from pictures (N, 3, H, W) to the loss `tv`.
        every: steps from one evaluation of the content features to the next, >= 1.
        observer: listener of the steps.
    """

    def __init__(
        self,
        batch: StyleBatch,
        content_features: ContentFeatures,
        style_features: ContentFeatures | None,
        variation: Callable[[Tensor], Tensor],
        every: int,
        observer: Observer,
    ) -> None:
        self.content_features, self.style_features = content_features, style_features
        self.variation, self.every, self.observer = variation, every, observer
        (self.content_maps,) = content_features.each([batch.content])
        self.last_content = batch.content.new_zeros(())
        if style_features is not None:
            if batch.style_image is None:
                raise AtelierError("The loss gram needs a style picture; give --style-image FILE")
            self.style_grams = [gram(maps) for maps in style_features(batch.style_image)]

    def maps(self, outputs: Sequence[Tensor], step: int) -> list[list[Tensor]]:
        """Content maps of each output (1, 3, H, W); [] each in steps between two evaluations."""
        if step % self.every:
            return [[] for _ in outputs]
        with self.observer.stage("content_features"):
            return self.content_features.each(outputs)

    def losses(self, output: Tensor, maps: list[Tensor], batch: StyleBatch) -> dict[str, Tensor]:
        """All shared losses by name; maps: of the output, by `maps`."""
        losses = {"content": self.content(maps), "tv": self.variation(output)}
        if self.style_features is not None:
            losses["gram"] = self.gram(output, batch)
        return losses

    def content(self, maps: list[Tensor]) -> Tensor:
        """Distance of the output's content features from the photo's.

        Between two evaluations (`every` > 1) the last value is returned without a gradient; its
        gradient was scaled to cover these steps.
        """
        if maps:
            loss = content_loss(maps, self.content_maps)
            self.last_content = loss.detach()
            return loss + (self.every - 1) * (loss - self.last_content)
        return self.last_content

    def gram(self, output: Tensor, batch: StyleBatch) -> Tensor:
        """Distance of the first region's textures from the style picture's."""
        with self.observer.stage("content_features"):
            (maps,) = self.style_features.each([output])
        return gram_loss([gram(m, batch.masks[:, :1]) for m in maps], self.style_grams)
