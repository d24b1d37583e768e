"""Generators that a text conditions: trained once for many pictures, they paint in one pass.

Such a network turns a style text into a style, a tensor whose meaning is the network's own: a code,
the weights of a decoder, tokens to attend to. Blends of texts and interpolation between texts are
weighted means of styles, or what stands for them in the network. `atelier train` trains the
networks; docs/training.md says how.

In a run without steps the style of each region is painted as the text gives it. With steps, the
styles are optimised from there, as codes and weights of other generators are.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from datamodules.support.errors import AtelierError
from datamodules.support.files import atomic
from datamodules.task import Blend, StyleBatch
from lightning_modules.generators.base import Generator

STYLES = "styles"  # of all regions, (K, ...), in the file of a run's final styles


class OnePass(Generator, ABC):
    """Generator whose styles come from texts by a trained network.

    Args:
        pace: factor on the learning rate of the styles, where a run has steps.

    Attributes:
        network: the part that training optimises; frozen until `trainable` is called.
        reads_pictures: whether a style can come from a picture too.
        moves: changes of the styles (K, ...) by a run's steps, one per region.
        reads_texts: whether the style depends on the text, so that there is a way between two.
    """

    reads_texts: ClassVar[bool] = True
    network: nn.Module
    reads_pictures: bool = False

    def __init__(self, pace: float = 1.0) -> None:
        super().__init__()
        self.pace = pace

    @abstractmethod
    def texts(self, texts: Sequence[str]) -> Tensor:
        """Styles (T, ...) of T style texts, with a gradient to `network` where that is trained.

        Raises AtelierError for a text that the network cannot serve.
        """

    @abstractmethod
    def paint(self, content: Tensor, styles: Tensor) -> Tensor:
        """Pictures (N, 3, H, W) in [0, 1] from content images (N, 3, H, W) in [0, 1].

        styles: one per picture, (N, ...), or one for all, (1, ...).
        """

    def styles(self, blends: Sequence[Blend]) -> Tensor:
        """Styles (K, ...) of K blends."""
        texts = list(dict.fromkeys(text for blend in blends for _, text in blend))
        style = dict(zip(texts, self.texts(texts).split(1), strict=True))
        merged = [self.merge([style[text] for _, text in b], [w for w, _ in b]) for b in blends]
        return self.stack(merged)

    def merge(self, styles: Sequence[Tensor], weights: Sequence[float]) -> Tensor:
        """One style (1, ...) from several with weights >= 0: their weighted mean."""
        total = sum(weights)
        return sum(w / total * style for w, style in zip(weights, styles, strict=True))

    def stack(self, styles: Sequence[Tensor]) -> Tensor:
        """Styles (K, ...) from K single ones (1, ...)."""
        return torch.cat(list(styles))

    def check(self, texts: Sequence[str], picture: bool) -> None:
        if picture and not self.reads_pictures:
            raise AtelierError(
                f"This {type(self).__name__} takes its style from a text, not from a picture; "
                "leave --style-image out, or choose another method, such as clipstyler"
            )

    def picture_style(self, picture: Tensor) -> Tensor:
        """Style (1, ...) of a style picture (1, 3, h, w) in [0, 1]; where `reads_pictures`."""
        self.check([], True)
        raise NotImplementedError

    def own_losses(self, styles: Tensor, blends: Sequence[Blend]) -> dict[str, Tensor]:
        """Losses of the styles (N, ...) of N blends by name, which only this network has."""
        return {}

    def trainable(self) -> list[nn.Parameter]:
        """Weights for training, from now on with gradients."""
        return list(self.network.requires_grad_(True).parameters())

    def begin(self, texts: Sequence[str]) -> None:
        """Set the first weights of a training on these texts; called once, before a checkpoint is
        read. Raises AtelierError for texts that cannot be trained together.
        """

    def provide(self, path: Path) -> None:
        """Place the file of trained weights where runs look for it, if there is such a place."""

    def unlike(self, text: str) -> str:
        """Remark on a text that is far from all that the network has learned; or ""."""
        return ""

    @torch.no_grad()
    def start(self, batch: StyleBatch) -> None:
        """Set the styles of all regions; pixels that no mask covers belong to the first.

        A text that is far from all that the network has learned is noted.
        """
        texts = dict.fromkeys(text for blend in batch.styles for _, text in blend)
        for remark in filter(None, map(self.unlike, texts)):
            self.remark(remark)
        styles = [self._style(batch, region) for region in range(len(batch.styles))]
        self.register_buffer("start_styles", self.stack(styles), persistent=False)
        self.register_buffer("shares", batch.shares, persistent=False)
        self.moves = nn.Parameter(torch.zeros_like(self.start_styles))

    def _style(self, batch: StyleBatch, region: int) -> Tensor:
        blend = batch.styles[region]
        texts = self.styles([blend]) if blend else None
        if region or batch.style_image is None:
            return texts
        picture = self.picture_style(batch.style_image)
        return picture if texts is None else self.merge([texts, picture], [1, 1])

    def forward(self, content: Tensor) -> Tensor:
        shares = self.shares.unsqueeze(1)
        if content.shape[2:] != shares.shape[2:]:  # larger than the masks
            shares = F.interpolate(shares, content.shape[2:], mode="bilinear")
        styles = self.start_styles + self.pace * self.moves
        painted = torch.zeros_like(content)
        for share, style in zip(shares, styles.split(1), strict=True):
            painted = painted + share * self.part(self.paint, content, style)
        return painted

    def final_styles(self) -> dict[str, Tensor]:
        return {STYLES: (self.start_styles + self.pace * self.moves).detach()}

    def alone(self, styles: Mapping[str, Tensor], region: int) -> nn.Module:
        if styles.keys() != {STYLES}:
            return super().alone(styles, region)
        return InOneStyle(self, styles[STYLES][region : region + 1])

    def save(self, path: Path, about: dict[str, str]) -> None:
        """Write the network's weights as safetensors; about: texts for the file's metadata."""
        from safetensors.torch import save_file

        state = self.network.state_dict()
        weights = {name: value.cpu().contiguous() for name, value in state.items()}
        with atomic(path) as temporary:
            save_file(weights, temporary, about | {"network": type(self).__name__})


class InOneStyle(nn.Module):
    """Generator that paints in one style (1, ...), whatever the picture."""

    def __init__(self, generator: OnePass, style: Tensor) -> None:
        super().__init__()
        self.generator = generator
        self.register_buffer("style", style)

    def forward(self, content: Tensor) -> Tensor:
        """Pictures (N, 3, H, W) in [0, 1] from content images of the same size and range."""
        return self.generator.paint(content, self.style)


def load_network(network: nn.Module, path: Path, name: str) -> dict[str, str]:
    """Load weights that `OnePass.save` wrote; the file's metadata.

    name: class of the generator. Raises AtelierError for a missing file or another network's.
    """
    from safetensors import SafetensorError, safe_open

    again = "train it with atelier train, or check the path"
    if not path.is_file():
        raise AtelierError(f"There are no weights at {path}; {again}")
    try:
        with safe_open(path, framework="pt") as file:
            about = file.metadata() or {}
            weights = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
            network.load_state_dict(weights)
    except (SafetensorError, OSError, RuntimeError) as error:
        reason = " ".join(str(error).split())
        raise AtelierError(f"{path} holds no weights of {name} ({reason}); {again}") from error
    return about
