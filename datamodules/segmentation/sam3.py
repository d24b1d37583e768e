"""Masks of all instances of a phrase by SAM 3 (Carion et al. 2025, Segment Anything with Concepts).

Its weights are under the SAM License and gated: whoever wants them asks their authors first.
"""

from __future__ import annotations

from functools import cached_property, reduce
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from datamodules.images import resize_mask, to_picture
from datamodules.models.pretrained import hub_names, load_pretrained
from datamodules.segmentation.base import Segmenter
from datamodules.segmentation.operations.choice import Choice
from datamodules.segmentation.operations.instances import choose
from datamodules.segmentation.operations.threshold import check_threshold, refuse_below

if TYPE_CHECKING:
    from transformers import Sam3Model, Sam3Processor

INSTEAD = (
    "--segmenter grounded needs only open ones; those of SAM 3 are gated: accept the SAM License "
    "on their page of the hub and log in by `hf auth login`, then fetch them"
)


class SAM3Segmenter(Segmenter):
    """Segmenter of all instances of a phrase, or of those that its words of place, order and size
    choose (`operations.choice`).

    The mask is the highest of the instances' probabilities at each pixel. The confidence is the
    mean score of the instances: the network's probability that they are what the phrase names.

    Args:
        model: repository on the Hugging Face hub, or path of a folder, with the image or the video
            network.
        threshold: score in (0, 1) above which an instance counts; 0.5 as in the paper's measures.
    """

    def __init__(self, model: str = "facebook/sam3", threshold: float = 0.5) -> None:
        self.model = model
        self.threshold = check_threshold(threshold)

    @classmethod
    def weights_needed(cls, model: str, threshold: float) -> list[str]:
        """Names of the published weights that these arguments need."""
        return hub_names(model)

    @cached_property
    def network(self) -> tuple[Sam3Model, Sam3Processor]:
        """Network, and the processor that prepares pictures and words for it."""
        from transformers import Sam3Model, Sam3Processor

        return load_pretrained(self.model, Sam3Model, Sam3Processor, "SAM 3", INSTEAD)

    @torch.no_grad()
    def segment(self, content: Tensor, phrase: str) -> Tensor:
        self.refuse_empty(phrase)
        choice = Choice.of(phrase)
        masks, scores = self.instances(content, choice.subject)
        refuse_below(scores, self.threshold, choice.subject, "SAM 3")
        masks, scores = masks[scores > self.threshold], scores[scores > self.threshold]
        indices = choose(masks, scores, choice)
        self.confidence = float(scores[indices].mean())
        self.warn(phrase)
        return reduce(torch.maximum, (resize_mask(masks[k], content.shape[1:]) for k in indices))

    def instances(self, content: Tensor, subject: str) -> tuple[Tensor, Tensor]:
        """Probabilities (Q, h, w) and scores (Q,) of everything that may be an instance.

        The score is the probability of an instance times that of the subject's presence.
        """
        network, processor = self.network
        picture = processor(images=to_picture(content), return_tensors="pt")
        longest = network.config.text_config.max_position_embeddings
        words = processor.tokenizer(
            subject, padding="max_length", truncation=True, max_length=longest, return_tensors="pt"
        )
        out = network(pixel_values=picture["pixel_values"], **words)
        scores = out.pred_logits.sigmoid() * out.presence_logits.sigmoid()
        return out.pred_masks[0].sigmoid(), scores[0]
