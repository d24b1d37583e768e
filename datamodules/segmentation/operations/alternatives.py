"""Other phrases for an object that is not found: what it belongs to, or its name without additions.

A segmenter that knows no "astronaut's suit" may know the astronaut.
"""

from __future__ import annotations

import re

from torch import Tensor

from datamodules.segmentation.base import ObjectNotFoundError, Segmenter
from datamodules.segmentation.operations.phrases import ARTICLE, nested_phrases

OWNER = re.compile(r"(.+?)['\u2019]s?\s+\S")
WHOLE = re.compile(r"\bof\s+(.+)")


def alternatives(phrase: str) -> list[str]:
    """Phrases that name less than `phrase` or what it belongs to, the nearest first.

    "the suit of the astronaut who smiles" -> ["suit", "astronaut who smiles", "astronaut"]
    """
    whole, core, head = nested_phrases(phrase)
    owners = [match[1] for pattern in (OWNER, WHOLE) if (match := pattern.search(whole))]
    owners = [ARTICLE.sub("", owner) for owner in owners]
    cores = [nested_phrases(owner)[1] for owner in owners]
    return [other for other in dict.fromkeys((core, *owners, *cores, head)) if other != whole]


def segment_or_suggest(segmenter: Segmenter, content: Tensor, phrase: str) -> Tensor:
    """Mask of an object, as by `Segmenter.segment`; an error suggests a phrase that is found."""
    try:
        return segmenter.segment(content, phrase)
    except ObjectNotFoundError as error:
        if not (hint := _hint(segmenter, content, phrase)):
            raise
        raise ObjectNotFoundError(f"Found no {phrase!r} in the picture; {hint}") from error


def _hint(segmenter: Segmenter, content: Tensor, phrase: str) -> str:
    """The end of a sentence that names the first alternative that is surely found, "" for none."""
    for other in alternatives(phrase) if segmenter.needs_phrase else ():
        try:
            mask = segmenter.segment(content, other)
        except ObjectNotFoundError:
            continue
        if segmenter.confidence is None or segmenter.confidence >= segmenter.line:
            covered = float((mask > 0.5).float().mean())
            return f"{other!r} is found (coverage {covered:.0%}): use it, or give --mask FILE"
    return ""
