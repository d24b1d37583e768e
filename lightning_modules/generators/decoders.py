"""Decoders: one decoder per text behind one frozen encoder, as in CLIPstyler's fast mode.

The style of a text is all weights of its decoder, as one vector; a blend of texts is a decoder with
the weighted mean of their weights. Decoders are files, each with its text in the file's metadata.
"""

from __future__ import annotations

import logging
import shutil
from collections.abc import Mapping, Sequence
from copy import deepcopy
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn.utils import parameters_to_vector, vector_to_parameters

from datamodules.support.errors import AtelierError
from datamodules.support.files import atomic, slug
from datamodules.support.home import data_dir
from datamodules.support.suggestions import there_are
from lightning_modules.generators.one_pass import OnePass, load_network
from lightning_modules.generators.painter_pair import PainterPair
from lightning_modules.generators.pairs import Pair

log = logging.getLogger(__name__)

REMEDY = "set ATELIER_DATA to a folder that can be written and has room"
TEXT, PAIR = "style", "pair"  # in the metadata of a decoder's file


class Decoders(OnePass):
    """Frozen encoder, and a decoder for each text that one was trained for.

    Args:
        pair: the encoder and the form of its decoders; by default the embedded painter's halves.
        decoders: folder of the trained decoders, FILE.safetensors; by default the folder decoders
            of `data_dir`.
        weights: file of one more decoder, which comes before those of the folder, and from which a
            training goes on; "" for none.
        pace: factor on the learning rate of the decoders' weights, where a run has steps.
    """

    def __init__(
        self, pair: Pair | None = None, decoders: str = "", weights: str = "", pace: float = 0.1
    ) -> None:
        super().__init__(pace)
        self.pair = (pair or PainterPair()).requires_grad_(False)
        self.folder = Path(decoders) if decoders else data_dir() / "decoders"
        self.file = Path(weights) if weights else None
        self.text = ""  # of the decoder in training
        self.network = self.pair.decoder("").requires_grad_(False)

    def check(self, texts: Sequence[str], picture: bool) -> None:
        super().check(texts, picture)
        for text in texts:
            self._path(text)

    def begin(self, texts: Sequence[str]) -> None:
        if len(texts) != 1:
            raise AtelierError(
                f"A decoder learns one text, not {len(texts)}; give one --style, and train the "
                "next one afterwards"
            )
        (self.text,) = texts
        if self.file:
            load_network(self.network, self.file, type(self).__name__)
        else:
            self.network.load_state_dict(self.pair.decoder(self.text).state_dict())

    def texts(self, texts: Sequence[str]) -> Tensor:
        """Weights (T, P) of the decoders of T texts; AtelierError for a text without a decoder."""
        return torch.stack([self._weights(text) for text in texts])

    def _weights(self, text: str) -> Tensor:
        if self.text and alike(text, self.text):
            return parameters_to_vector(self.network.parameters())
        decoder = deepcopy(self.network)
        load_network(decoder, self._path(text), type(self).__name__)
        return parameters_to_vector(decoder.parameters()).detach()

    def _path(self, text: str) -> Path:
        files = [*([self.file] if self.file else []), *sorted(self.folder.glob("*.safetensors"))]
        there = decoders_of(files, type(self.pair).__name__)
        for learned, path in there:
            if alike(learned, text):
                return path
        hint = there_are(text, [repr(learned) for learned, _ in there]) if there else ""
        raise AtelierError(
            f"No decoder in {self.folder} has learned {text!r}{hint}; train it: "
            f'atelier train clipstyler_fast --style "{text}"'
        )

    def paint(self, content: Tensor, styles: Tensor) -> Tensor:
        """Pictures of one decoder each; within [0, 1] unless a gradient is computed, because the
        losses of the published code see what is beyond as well.
        """
        height, width = content.shape[-2:]
        maps = self.pair.encode(content)
        groups = [maps] if len(styles) == 1 else maps.split(1)
        painted = [
            functional_call(self.network, self._unflattened(style), (group,))
            for style, group in zip(styles, groups, strict=True)
        ]
        result = torch.cat(painted)[..., :height, :width]
        return result if torch.is_grad_enabled() else result.clamp(0, 1)

    def _unflattened(self, weights: Tensor) -> dict[str, Tensor]:
        """Weights of the decoder by name, from one vector (P,)."""
        parameters = dict(self.network.named_parameters())
        parts = weights.split([value.numel() for value in parameters.values()])
        return {
            name: part.view_as(value)
            for (name, value), part in zip(parameters.items(), parts, strict=True)
        }

    def alone(self, styles: Mapping[str, Tensor], region: int) -> nn.Module:
        alone = super().alone(styles, region)
        vector_to_parameters(alone.style[0], (decoder := deepcopy(self.network)).parameters())
        return OneDecoder(self.pair, decoder)

    def save(self, path: Path, about: dict[str, str]) -> None:
        super().save(path, about | {TEXT: self.text, PAIR: type(self.pair).__name__})

    def provide(self, path: Path) -> None:
        name = f"{slug(self.text)}-{slug(type(self.pair).__name__)}.safetensors"
        with atomic(self.folder / name, REMEDY) as temporary:
            shutil.copyfile(path, temporary)
        log.warning("The decoder of %r lies in %s, where runs look for it", self.text, self.folder)


class OneDecoder(nn.Module):
    """Encoder, and the decoder of one text."""

    def __init__(self, pair: Pair, decoder: nn.Module) -> None:
        super().__init__()
        self.pair, self.decoder = pair, decoder

    def forward(self, content: Tensor) -> Tensor:
        """Pictures (N, 3, H, W) in [0, 1] from content images of the same size and range."""
        height, width = content.shape[-2:]
        return self.decoder(self.pair.encode(content))[..., :height, :width].clamp(0, 1)


def decoders_of(files: Sequence[Path], pair: str) -> list[tuple[str, Path]]:
    """The files that are decoders of a pair, by the name of its class, with their texts."""
    from safetensors import SafetensorError, safe_open

    there = []
    for path in files:
        try:
            with safe_open(path, "pt") as file:
                about = file.metadata() or {}
        except (SafetensorError, OSError):
            continue  # the file of another program
        if about.get(PAIR) == pair and about.get(TEXT):
            there.append((about[TEXT], path))
    return there


def alike(one: str, other: str) -> bool:
    """Whether two texts differ in case and spaces only."""
    return one.casefold().split() == other.casefold().split()
