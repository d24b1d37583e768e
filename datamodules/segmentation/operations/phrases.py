"""Grammar of an object's phrase: its nested names and its word of place."""

from __future__ import annotations

import re

import torch
from torch import Tensor

from datamodules.vocabulary import DETERMINERS, DIRECTIONS, PREPOSITIONS

ARTICLE = re.compile(rf"^({'|'.join(DETERMINERS)})\s+")
PREPOSITION = re.compile(rf"\b({'|'.join(PREPOSITIONS)})\b")
PLACE = re.compile(
    r"\b(?:on|at|in|to) the (?:\w+ )?(left|right|top|bottom|middle|center|centre)\b"
    r"|\b(left|right|upper|lower|topmost|bottom|middle)(?:most)?\b"
)


def nested_phrases(phrase: str) -> tuple[str, str, str]:
    """Split a phrase into itself without its article, the part before a preposition, the noun.

    "the white sailboat on the sea" -> ("white sailboat on the sea", "white sailboat", "sailboat")
    """
    whole = ARTICLE.sub("", phrase.strip().lower())
    core = PREPOSITION.split(whole)[0].strip(" ,.;") or whole
    return whole, core, core.split()[-1]


def noun(phrase: str) -> str:
    """Last word of a phrase before any preposition: "the white sailboat on the sea" -> sailboat."""
    return nested_phrases(phrase)[2]


def direction(phrase: str) -> tuple[int, int] | None:
    """Direction (x, y) of a phrase's word of place, see DIRECTIONS; None without such a word."""
    match = PLACE.search(phrase.lower())
    return DIRECTIONS[match[1] or match[2]] if match else None


def place(phrase: str, size: tuple[int, ...]) -> Tensor | None:
    """Agreement of each position of a map with a phrase's word of place, (*size) in [-1, 1].

    None without such a word: "the boat on the left" has one, "the boat" has none.
    """
    towards = direction(phrase)
    if towards is None:
        return None
    y, x = torch.meshgrid(*(torch.linspace(-1, 1, n) for n in size), indexing="ij")
    across, down = towards
    return (across * x + down * y).clamp(-1, 1) if any(towards) else 1 - x * x - y * y
