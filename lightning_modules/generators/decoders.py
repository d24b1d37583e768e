"""Decoders: one decoder per text behind one frozen encoder, as in CLIPstyler's fast mode.

The style of a text is all weights of its decoder, as one vector; a blend of texts is a decoder with
the weighted mean of their weights. Decoders are files, each with its text in the file's metadata.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn.utils import parameters_to_vector

from datamodules.support.errors import AtelierError
from datamodules.support.home import data_dir
from datamodules.support.suggestions import there_are
from lightning_modules.generators.one_pass import OnePass, load_network
from lightning_modules.generators.painter_pair import PainterPair
from lightning_modules.generators.pairs import Pair

TEXT, PAIR = "style", "pair"  # in the metadata of a decoder's file


class Decoders(OnePass):
    """Frozen encoder, and a decoder for each text that one was trained for.

    Args:
        pair: the encoder and the form of its decoders; by default the embedded painter's halves.
        decoders: folder of the trained decoders, FILE.safetensors; by default the folder decoders
            of `data_dir`.
        style: text whose decoder is to be trained, from the pair's start; "" to use trained ones.
        pace: factor on the learning rate of the decoders' weights, where a run has steps.
    """

    def __init__(
        self, pair: Pair | None = None, decoders: str = "", style: str = "", pace: float = 0.1
    ) -> None:
        super().__init__(pace)
        self.pair = (pair or PainterPair()).requires_grad_(False)
        self.folder = Path(decoders) if decoders else data_dir() / "decoders"
        self.style = style
        self.network = self.pair.decoder(style).requires_grad_(False)

    def texts(self, texts: Sequence[str]) -> Tensor:
        """Weights (T, P) of the decoders of T texts; AtelierError for a text without a decoder."""
        return torch.stack([self._weights(text) for text in texts])

    def _weights(self, text: str) -> Tensor:
        if self.style and alike(text, self.style):
            return parameters_to_vector(self.network.parameters())
        there = decoders_in(self.folder, type(self.pair).__name__)
        path = next((path for known, path in there.items() if alike(known, text)), None)
        if path is None:
            raise AtelierError(
                f"No decoder in {self.folder} was trained for {text!r}"
                f"{there_are(text, map(repr, there)) if there else ''}; train it: "
                f'atelier train clipstyler_fast --style "{text}"'
            )
        decoder = deepcopy(self.network)
        load_network(decoder, path, type(self).__name__)
        return parameters_to_vector(decoder.parameters()).detach()

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
        named = dict(self.network.named_parameters())
        parts = weights.split([value.numel() for value in named.values()])
        return {
            name: part.view_as(value)
            for (name, value), part in zip(named.items(), parts, strict=True)
        }

    def save(self, path: Path, about: dict[str, str]) -> None:
        super().save(path, about | {TEXT: self.style, PAIR: type(self.pair).__name__})


def decoders_in(folder: Path, pair: str) -> dict[str, Path]:
    """Files of the decoders in a folder by their texts, for a pair by the name of its class."""
    from safetensors import SafetensorError, safe_open

    there = {}
    for path in sorted(folder.glob("*.safetensors")):
        try:
            with safe_open(path, "pt") as file:
                about = file.metadata() or {}
        except (SafetensorError, OSError):
            continue  # the file of another program
        if about.get(PAIR) == pair and about.get(TEXT):
            there[about[TEXT]] = path
    return there


def alike(one: str, other: str) -> bool:
    """Whether two texts differ in case and spaces only."""
    return one.casefold().split() == other.casefold().split()
