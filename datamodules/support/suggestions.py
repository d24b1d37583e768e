"""The nearest of several names, for messages about a misspelt one."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def did_you_mean(word: str, names: Iterable[str]) -> str:
    """The end of an error's sentence, "; did you mean NAME?"; "" if no name is near the word."""
    nearest = difflib.get_close_matches(word, list(names), n=1)
    return f"; did you mean {nearest[0]}?" if nearest else ""
