"""Exact match of parsed phrases (Soulstyler's "exact by hand", made automatic)."""

from __future__ import annotations

import re

ARTICLES = re.compile(r"\b(?:an?|the)\s+")
END_PUNCTUATION = " .,;:!?"


def normalise(text: str) -> str:
    """A phrase without what does not matter: case, articles, extra spaces, end punctuation."""
    spaced = " ".join(text.lower().split())
    return ARTICLES.sub("", spaced).rstrip(END_PUNCTUATION)


def exact_match(predicted: str, key: str) -> bool:
    """Whether two phrases are equal once normalised; higher is better."""
    return normalise(predicted) == normalise(key)
