"""What the words of a phrase say besides the object's name: its kind, and its place."""

from __future__ import annotations

import re

import torch
from torch import Tensor

ARTICLE = re.compile(r"^(the|a|an|this|that|his|her|its|their|my|your)\s+")
PREPOSITION = re.compile(
    r"\b(with|in|on|at|of|by|from|to|under|over|near|behind|beside|between|that|which|who|and"
    r"|wearing|holding|riding|floating|standing|sitting)\b"
)
PLACE = re.compile(
    r"\b(?:on|at|in|to) the (?:\w+ )?(left|right|top|bottom|middle|center|centre)\b"
    r"|\b(left|right|upper|lower|topmost|bottom|middle)(?:most)?\b"
)
TOWARDS = {  # x, y: from -1 at the left and upper edge to 1
    "left": (-2, 0),  # on that side: all of a half is as good as its edge is
    "right": (2, 0),
    "top": (0, -1),
    "topmost": (0, -1),
    "upper": (0, -1),
    "bottom": (0, 1),
    "lower": (0, 1),
}
FACE_WORDS = {"face", "faces", "head", "heads"}
# fmt: off
PERSON_WORDS = {
    "person", "people", "man", "men", "woman", "women", "girl", "girls", "boy", "boys", "child",
    "children", "lady", "guy", "portrait", "human", "astronaut", "bride", "actor", "actress",
    "singer", "king", "queen", "soldier",
}
# fmt: on


def nested_phrases(phrase: str) -> tuple[str, str, str]:
    """The phrase without article, its part before a preposition, and that part's last word.

    "the white sailboat on the sea" -> ("white sailboat on the sea", "white sailboat", "sailboat")
    """
    whole = ARTICLE.sub("", phrase.strip().lower())
    core = PREPOSITION.split(whole)[0].strip(" ,.;") or whole
    return whole, core, core.split()[-1]


def direction(phrase: str) -> tuple[int, int] | None:
    """Where the phrase's word of place points, x and y; (0, 0) is the middle, None without one."""
    found = PLACE.search(phrase.lower())
    return TOWARDS.get(found[1] or found[2], (0, 0)) if found else None


def place(phrase: str, size: tuple[int, ...]) -> Tensor | None:
    """How well each place of a picture (h, w) suits the phrase's word of place, in [-1, 1].

    None where the phrase has none: "the boat on the left" has, "the boat" has not.
    """
    towards = direction(phrase)
    if towards is None:
        return None
    y, x = torch.meshgrid(*(torch.linspace(-1, 1, n) for n in size), indexing="ij")
    across, down = towards
    return (across * x + down * y).clamp(-1, 1) if any(towards) else 1 - x * x - y * y
