"""Masks for any phrase by CRIS (Wang et al. 2022), the segmenter of Soulstyler.

The published masks are binary: those pixels whose probability exceeds 0.35.
"""

from __future__ import annotations

import logging
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from datamodules.images import to_array
from datamodules.models.cache import once_per_process
from datamodules.models.catalogue import to_fetch
from datamodules.models.published import UNTRAINED, load_into, require
from datamodules.segmentation.base import Segmenter
from datamodules.segmentation.operations.threshold import check_threshold, mask_above

if TYPE_CHECKING:
    from datamodules.segmentation.cris.network import CRIS

log = logging.getLogger(__name__)

INSTEAD = (
    "--segmenter clipseg solves the same task, and the embedded --segmenter bridge needs no weights"
)
WORDS = 17  # tokens of a sentence, start and end among them; a longer sentence is cut
PREFIX = "module."  # of the published names: it was saved from a parallel wrapper


class CRISSegmenter(Segmenter):
    """Segmenter of what a phrase describes.

    Args:
        weights: "cris" for the registered checkpoint (`atelier weights path cris=FILE`), the path
            of a file, or "untrained" for random weights (for timing).
        threshold: probability in (0, 1) above which a pixel belongs to the object.
        binary: whether the mask is 1 above the threshold and 0 elsewhere, instead of soft around
            it (`operations.threshold`).
    """

    def __init__(
        self, weights: str = "cris", threshold: float = 0.35, binary: bool = False
    ) -> None:
        self.weights = weights
        self.threshold = check_threshold(threshold)
        self.binary = binary
        self._looked: tuple[Tensor, tuple[Tensor, Tensor, Tensor]] | None = None

    @classmethod
    def weights_needed(cls, weights: str, threshold: float, binary: bool) -> list[str]:
        """Names of the published weights that these arguments need."""
        return to_fetch(weights)

    @cached_property
    def network(self) -> CRIS:
        if self.weights == UNTRAINED:
            return _untrained()
        return _trained(require(self.weights, INSTEAD))

    @torch.no_grad()
    def segment(self, content: Tensor, phrase: str) -> Tensor:
        self.refuse_empty(phrase)
        from datamodules.segmentation.cris.framing import framed, normalised, unframed

        features = self._look(normalised(framed(to_array(content))))
        logits = self.network(features, tokens(phrase))[0, 0]
        probability = unframed(logits, *content.shape[1:])
        return mask_above(probability, self.threshold, phrase, "CRIS", self.binary)

    def _look(self, square: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Features of a picture, computed once while phrases about the same one follow."""
        if self._looked is None or not torch.equal(self._looked[0], square):
            self._looked = square, self.network.look(square)
        return self._looked[1]


def tokens(phrase: str) -> Tensor:
    """CLIP's tokens of a phrase, int64 (1, WORDS), padded with 0."""
    from open_clip import get_tokenizer

    return get_tokenizer("RN50", context_length=WORDS)(phrase)


@once_per_process(at_most=1)
def _trained(path: Path) -> CRIS:
    from datamodules.segmentation.cris.network import CRIS

    with torch.device("meta"):  # random weights would take longer than those of the file
        network = CRIS()
    load_into(network.to_empty(device="cpu"), path, "CRIS (R50)", _unwrapped)
    return _ready(network)


def _unwrapped(content: Any) -> dict[str, Tensor]:
    """The network's tensors in the content of the published file."""
    if not isinstance(content, dict) or not isinstance(content.get("state_dict"), dict):
        raise ValueError("it has no state_dict")
    return {name.removeprefix(PREFIX): value for name, value in content["state_dict"].items()}


def _untrained() -> CRIS:
    from datamodules.segmentation.cris.network import CRIS

    log.warning("CRIS is untrained: its masks are meaningless")
    return _ready(CRIS())


def _ready(network: CRIS) -> CRIS:
    return network.eval().requires_grad_(False).to(memory_format=torch.channels_last)
