"""Masks of all instances of a phrase: boxes by GroundingDINO, the objects in them by SAM 2.

GroundingDINO (Liu et al. 2024) finds what the words of a phrase mean, SAM 2 (Ravi et al. 2024)
outlines what a box shows. Both are published under the Apache licence.
"""

from __future__ import annotations

from functools import cached_property, reduce
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from datamodules.images import to_picture
from datamodules.models.pretrained import hub_names, load_pretrained
from datamodules.segmentation.base import Segmenter
from datamodules.segmentation.operations.choice import Choice
from datamodules.segmentation.operations.instances import choose
from datamodules.segmentation.operations.phrases import nested_phrases
from datamodules.segmentation.operations.threshold import check_threshold, refuse_below

if TYPE_CHECKING:
    from transformers import (
        GroundingDinoForObjectDetection,
        GroundingDinoProcessor,
        Sam2Model,
        Sam2Processor,
    )

INSTEAD = "the embedded datamodules.segmentation.bridge.BridgeSegmenter needs none"


class GroundedSegmenter(Segmenter):
    """Segmenter of all instances of a phrase, or of those that its words of place, order and size
    choose (`operations.choice`).

    The mask is the highest of the instances' probabilities at each pixel. There is no confidence:
    the scores of boxes are no probabilities, and SAM 2 judges only its outline in a box.

    Args:
        boxes: repository of GroundingDINO on the Hugging Face hub, or path of a folder. The base
            network has learned from referring expressions, the tiny one has not.
        masks: repository of SAM 2, or path of a folder, with the image or the video network. The
            small one will do: a box leaves little to guess.
        threshold: score in (0, 1) above which a box counts; 0.35 as in its authors' examples.
    """

    def __init__(
        self,
        boxes: str = "IDEA-Research/grounding-dino-base",
        masks: str = "facebook/sam2.1-hiera-small",
        threshold: float = 0.35,
    ) -> None:
        self.boxes = boxes
        self.masks = masks
        self.threshold = check_threshold(threshold)

    @classmethod
    def weights_needed(cls, boxes: str, masks: str, threshold: float) -> list[str]:
        """Names of the published weights that these arguments need."""
        return hub_names(boxes, masks)

    @cached_property
    def finder(self) -> tuple[GroundingDinoForObjectDetection, GroundingDinoProcessor]:
        """GroundingDINO, and the processor that prepares pictures and words for it."""
        from transformers import GroundingDinoForObjectDetection, GroundingDinoProcessor

        parts = GroundingDinoForObjectDetection, GroundingDinoProcessor
        return load_pretrained(self.boxes, *parts, "GroundingDINO", INSTEAD)

    @cached_property
    def outliner(self) -> tuple[Sam2Model, Sam2Processor]:
        """SAM 2, and the processor that prepares pictures and boxes for it."""
        from transformers import Sam2Model, Sam2Processor

        return load_pretrained(self.masks, Sam2Model, Sam2Processor, "SAM 2", INSTEAD)

    @torch.no_grad()
    def segment(self, content: Tensor, phrase: str) -> Tensor:
        self.refuse_empty(phrase)
        choice = Choice.of(phrase)
        boxes, scores = self.find(content, choice.subject)
        refuse_below(scores, self.threshold, choice.subject, "GroundingDINO")
        boxes, scores = boxes[scores > self.threshold], scores[scores > self.threshold]
        logits = self.outline(content, boxes)
        indices = choose(logits[:, 0].sigmoid(), scores, choice)
        return reduce(torch.maximum, (self.enlarge(logits[k], content) for k in indices))

    def find(self, content: Tensor, subject: str) -> tuple[Tensor, Tensor]:
        """Boxes (Q, 4), left, top, right and bottom in px, with the scores (Q,) of the subject.

        The score of a box is that of its best word. Words after the subject's name name something
        else: of "sailboat on the sea" the box of the sea does not count.
        """
        network, processor = self.finder
        inputs = processor(
            images=to_picture(content),
            text=f"{subject}.",
            truncation=True,
            max_length=network.config.max_text_len,
            return_tensors="pt",
        )
        out = network(**inputs)
        all_boxes = processor.post_process_grounded_object_detection(
            out,
            inputs["input_ids"],
            threshold=-1,
            text_threshold=1,
            target_sizes=[content.shape[1:]],
        )
        name = processor.tokenizer.tokenize(nested_phrases(subject)[1])
        scores = out.logits[0].sigmoid()
        scores[:, 1 + len(name) : inputs["input_ids"].shape[1] - 2] = 0
        return all_boxes[0]["boxes"], scores.amax(1)

    def outline(self, content: Tensor, boxes: Tensor) -> Tensor:
        """Logits (N, 1, h, w), > 0 inside, of the objects in boxes (N, 4) in px."""
        network, processor = self.outliner
        inputs = processor(
            images=to_picture(content), input_boxes=[boxes.tolist()], return_tensors="pt"
        )
        out = network(
            pixel_values=inputs["pixel_values"],
            input_boxes=inputs["input_boxes"],
            multimask_output=False,
        )
        return out.pred_masks[0]

    def enlarge(self, logits: Tensor, content: Tensor) -> Tensor:
        """Probabilities (H, W) at the size of a picture (3, H, W) from logits (1, h, w)."""
        _, processor = self.outliner
        size = content.shape[1:]
        return processor.post_process_masks([logits[None]], [size], binarize=False)[0][
            0, 0
        ].sigmoid()
