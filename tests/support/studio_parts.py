"""Segmenters for the studio's tests that know places instead of objects."""

import logging

import torch

from datamodules.segmentation.base import ObjectNotFoundError, Segmenter

log = logging.getLogger("datamodules.segmentation.halves")


class Halves(Segmenter):
    """Finds the left or the right half, or a ramp from 0 at the left to 1 at the right."""

    def segment(self, content, phrase):
        ramp = torch.linspace(0, 1, content.shape[2]).expand(content.shape[1:])
        masks = {"left": (ramp < 0.5).float(), "right": (ramp >= 0.5).float(), "ramp": ramp}
        if phrase not in masks:
            raise ObjectNotFoundError(f"There is no {phrase}; name another object")
        if phrase == "left":
            log.warning("left is a half")
        self.confidence = 0.8
        return masks[phrase]


class Thresholded(Halves):
    """Finds what lies above a threshold of its own."""

    def __init__(self, threshold: float = 0.5) -> None:
        self.threshold = threshold

    def segment(self, content, phrase):
        return (super().segment(content, phrase) > self.threshold).float()
