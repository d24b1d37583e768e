"""Masks for any phrase by CLIPSeg (Lueddecke and Ecker 2022): CLIP with a decoder for pixels.

Soulstyler segments with CRIS (`datamodules/segmentation/cris`), whose sigmoid per pixel must exceed
0.35; CLIPSeg solves the same task, and its weights are published on the Hugging Face hub.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from datamodules.images import resize_mask, to_picture
from datamodules.models.pretrained import hub_names, load_pretrained
from datamodules.segmentation.base import Segmenter
from datamodules.segmentation.operations.threshold import check_threshold, mask_above

if TYPE_CHECKING:
    from transformers import CLIPSegForImageSegmentation, CLIPSegProcessor

INSTEAD = "the embedded datamodules.segmentation.bridge.BridgeSegmenter needs none"


class CLIPSegSegmenter(Segmenter):
    """Segmenter of what a phrase describes.

    Args:
        model: repository on the Hugging Face hub, or path of a folder.
        threshold: probability in (0, 1) above which a pixel belongs to the object.
        binary: whether the mask is 1 above the threshold and 0 elsewhere, instead of soft around
            it (`operations.threshold`).
    """

    def __init__(
        self,
        model: str = "CIDAS/clipseg-rd64-refined",
        threshold: float = 0.35,
        binary: bool = False,
    ) -> None:
        self.model = model
        self.threshold = check_threshold(threshold)
        self.binary = binary

    @classmethod
    def weights_needed(cls, model: str, threshold: float, binary: bool) -> list[str]:
        """Names of the published weights that these arguments need."""
        return hub_names(model)

    @cached_property
    def network(self) -> tuple[CLIPSegForImageSegmentation, CLIPSegProcessor]:
        """Network, and the processor that prepares pictures and words for it."""
        from transformers import CLIPSegForImageSegmentation, CLIPSegProcessor

        parts = CLIPSegForImageSegmentation, CLIPSegProcessor
        return load_pretrained(self.model, *parts, "CLIPSeg", INSTEAD)

    @torch.no_grad()
    def segment(self, content: Tensor, phrase: str) -> Tensor:
        self.refuse_empty(phrase)
        network, processor = self.network
        inputs = processor(
            text=[phrase],
            images=[to_picture(content)],
            return_tensors="pt",
            truncation=True,
            max_length=network.config.text_config.max_position_embeddings,
        )
        probability = network(**inputs).logits.view(inputs["pixel_values"].shape[-2:]).sigmoid()
        probability = resize_mask(probability, content.shape[1:])
        return mask_above(probability, self.threshold, phrase, "CLIPSeg", self.binary)
