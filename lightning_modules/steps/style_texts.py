"""Style texts before they are embedded: what the encoder cannot read, or not to the end."""

from __future__ import annotations

import logging
from collections.abc import Iterable

from datamodules.support.errors import AtelierError
from datamodules.task import Blend
from lightning_modules.encoders.base import JointEncoder, pieces
from lightning_modules.steps.directions import templates

log = logging.getLogger(__name__)


def check_texts(encoder: JointEncoder, blends: Iterable[Blend]) -> None:
    """Warn of parts of the style texts that are not read; AtelierError for a text without any."""
    for text in dict.fromkeys(style for blend in blends for _, style in blend):
        unread = encoder.unread(text)
        if not any(piece.isalnum() for piece in pieces(text) if piece not in unread):
            raise AtelierError(
                f"The encoder cannot read the style {text!r}; name it in English words, or show it "
                "with --style-image"
            )
        if unread:
            names = ", ".join(map(repr, dict.fromkeys(unread)))
            log.warning("%s in the style %r is not read; use English words", names, text)
        if cut := cut_off(encoder, text):
            log.warning("The style is too long for the encoder, which does not read: %r", cut)


def cut_off(encoder: JointEncoder, text: str) -> str:
    """The words at the end of a text that do not fit with the longest prompt around it."""
    prompt, words = max(templates(), key=lambda template: len(template(""))), text.split()
    fitting = len(words)
    while fitting and not encoder.fits(prompt(" ".join(words[:fitting]))):
        fitting -= 1
    return " ".join(words[fitting:])
