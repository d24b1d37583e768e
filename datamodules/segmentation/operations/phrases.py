"""Grammar of an object's phrase: its nested names and its words of place."""

from __future__ import annotations

import re
from collections.abc import Sequence

import torch
from torch import Tensor

from datamodules.vocabulary import DETERMINERS, DIRECTIONS, PREPOSITIONS

ARTICLE = re.compile(rf"^({'|'.join(DETERMINERS)})\s+")
PREPOSITION = re.compile(rf"\b({'|'.join(PREPOSITIONS)})\b")
SIDE = re.compile(rf"\b({'|'.join(DIRECTIONS)})(?:most)?\b")
SIDES = rf"{SIDE.pattern}(?:[ -]{SIDE.pattern})?"  # "left", "upper left"
NEXT = "|".join(word for word in PREPOSITIONS if word != "of")
# Words of place end the phrase or its part before a preposition ("on the left", "in the top left
# corner of the picture"), or precede a noun ("the upper window"). "To the left of the tree" names
# no place in the picture; "a red top" and "middle-aged" name none at all.
PLACE = re.compile(
    rf"""
    ,?\s*\b(?:on|at|in|to|from)\ the\ (?:(?:far|very|extreme)\ )?{SIDES}
    (?:[ -]hand)?(?:\ (?:side|corner|edge|end|half|part))?
    (?:\ of\ the\ (?:picture|photo|image|scene))?
    (?=\s*(?:$|[,.;])|\s+(?:{NEXT}|\w+ing)\b)
    |\b(?:far\ )?(?!cent(?:er|re)\b){SIDES}(?=\s+(?!(?:{NEXT}|of)\b)\w)
    """,
    re.VERBOSE,
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
    """Direction (x, y) of a phrase's words of place, see DIRECTIONS; None without such words.

    "the window at the top left" -> (-2, -1)
    """
    match = PLACE.search(phrase.lower())
    if match is None:
        return None
    across, down = zip(*(DIRECTIONS[side] for side in SIDE.findall(match[0])), strict=True)
    return sum(across), sum(down)


def without_place(phrase: str) -> str:
    """Phrase in lower case without its words of place: "the boat on the left" -> "the boat"."""
    return " ".join(PLACE.sub(" ", phrase.lower(), count=1).split())


def place(phrase: str, size: tuple[int, ...]) -> Tensor | None:
    """Agreement of each position of a map with a phrase's words of place, (*size) in [-1, 1].

    None without such words: "the boat on the left" has one, "the boat" has none.
    """
    towards = direction(phrase)
    if towards is None:
        return None
    x, y = coordinates(size)
    across, down = towards
    return (across * x + down * y).clamp(-1, 1) if any(towards) else 1 - x * x - y * y


def coordinates(size: Sequence[int]) -> Tensor:
    """Coordinates x, y in [-1, 1] of each pixel of a map (h, w), (2, h, w)."""
    y, x = torch.meshgrid(*(torch.linspace(-1, 1, n) for n in size), indexing="ij")
    return torch.stack([x, y])
