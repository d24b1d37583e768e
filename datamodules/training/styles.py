"""Style texts for training, from a list or a text file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from datamodules.parsing.blend import targets_of
from datamodules.support.errors import AtelierError
from datamodules.support.files import read_lines
from datamodules.task import Blend


def blends(styles: str | Sequence[str]) -> list[Blend]:
    """Blends of styles, each once.

    styles: texts such as "fire" or "0.7*Van Gogh + 0.3*Hokusai", or the path of a text file with
        one per line, whose empty lines and lines that begin with "#" are ignored.
    Raises AtelierError for a list or file without any, and for a blend that cannot be read.
    """
    if isinstance(styles, str):
        styles = read_lines(Path(styles), "style texts", "give --styles a text file, one per line")
    texts = [text.strip() for text in styles]
    if not all(texts) or not texts:
        raise AtelierError('There is no style to train; give --style "fire", or --styles FILE')
    return list(dict.fromkeys(_blend(text) for text in texts))


def _blend(text: str) -> Blend:
    return tuple((target.weight, target.style) for target in targets_of("", text))
