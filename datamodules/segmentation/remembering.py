"""Memory of masks: a process segments an object once per picture, phrase and segmenter.

A sweep asks for the same object for every style and seed, an evaluation for every output of the
same content image.
"""

from __future__ import annotations

import hashlib
import logging
from collections import OrderedDict
from collections.abc import Hashable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from torch import Tensor

from datamodules.segmentation.base import ObjectNotFoundError, Segmenter

LIMIT = 2**29  # bytes; ten masks of 12 megapixels, or a thousand of working pictures


LOGGER = logging.getLogger("datamodules.segmentation")


@dataclass(frozen=True)
class Outcome:
    """Mask (H, W) and the confidence in it, or the refusal of a segmenter that found no object.

    messages: that were logged on the way; whoever gets the mask gets them, too.
    """

    mask: Tensor | None = None
    confidence: float | None = None
    refusal: str = ""
    messages: Sequence[logging.LogRecord] = ()


class MaskMemory:
    """Outcomes by key; the least recently used ones make room.

    Args:
        limit: bytes that the masks may take together; the last one always stays.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._outcomes: OrderedDict[Hashable, Outcome] = OrderedDict()

    def get(self, key: Hashable) -> Outcome | None:
        if key in self._outcomes:
            self._outcomes.move_to_end(key)
        return self._outcomes.get(key)

    def put(self, key: Hashable, outcome: Outcome) -> None:
        self._outcomes[key] = outcome
        while self._bytes() > self.limit and len(self._outcomes) > 1:
            self._outcomes.popitem(last=False)

    def _bytes(self) -> int:
        return sum(o.mask.nbytes for o in self._outcomes.values() if o.mask is not None)


PROCESS = MaskMemory(LIMIT)


class RememberingSegmenter(Segmenter):
    """Any segmenter, whose masks and refusals are remembered.

    Other errors, such as missing weights, are not: they can be mended while the process runs.

    Args:
        segmenter: segmenter of masks that are not in the memory.
        memory: by default one that all segmenters of this process share.
    """

    def __init__(self, segmenter: Segmenter, memory: MaskMemory = PROCESS) -> None:
        self.segmenter = segmenter
        self.memory = memory

    @property
    def needs_phrase(self) -> bool:
        return self.segmenter.needs_phrase

    @property
    def line(self) -> float:
        return self.segmenter.line

    @property
    def name(self) -> str:
        return self.segmenter.name

    @property
    def identity(self) -> Hashable:
        return self.segmenter.identity

    def segment(self, content: Tensor, phrase: str) -> Tensor:
        key = self.identity, phrase, _digest(content)
        outcome = self.memory.get(key)
        if outcome is None:
            outcome = self._outcome(content, phrase)
            self.memory.put(key, outcome)
        for record in outcome.messages:
            logging.getLogger(record.name).handle(record)
        if outcome.mask is None:
            raise ObjectNotFoundError(outcome.refusal)
        self.confidence = outcome.confidence
        return outcome.mask

    def _outcome(self, content: Tensor, phrase: str) -> Outcome:
        with _messages() as messages:
            try:
                mask = self.segmenter.segment(content, phrase)
            except ObjectNotFoundError as error:
                return Outcome(refusal=str(error), messages=messages)
        return Outcome(mask, self.segmenter.confidence, messages=messages)


@contextmanager
def _messages() -> Iterator[list[logging.LogRecord]]:
    """Yield a list that takes the messages of segmenters while the block runs, unseen."""
    handler = logging.Handler()
    records: list[logging.LogRecord] = []
    handler.emit = records.append
    LOGGER.addHandler(handler)
    LOGGER.propagate = False
    try:
        yield records
    finally:
        LOGGER.removeHandler(handler)
        LOGGER.propagate = True


def _digest(content: Tensor) -> bytes:
    digest = hashlib.sha256(f"{tuple(content.shape)}".encode())
    digest.update(content.contiguous().numpy())
    return digest.digest()
