"""Words of a phrase that choose among several instances: place, order, number and size."""

from __future__ import annotations

import re
from dataclasses import dataclass

from datamodules.segmentation.operations.phrases import (
    ARTICLE,
    direction,
    nested_phrases,
    noun,
    without_place,
)
from datamodules.support.errors import AtelierError
from datamodules.vocabulary import COUNTS, DIRECTIONS, ORDINALS, PREPOSITIONS, SIZES

START = re.compile(  # "second largest of the boats", "both dogs", "3rd car"
    rf"""
    (?:all\ )?(?:of\ )?(?:the\ )?
    (?:(?P<ordinal>{"|".join(ORDINALS)})(?!\S)\ ?|(?P<number>[1-9]\d*)(?:st|nd|rd|th)(?!\S)\ ?)?
    (?:(?P<count>{"|".join(COUNTS)})(?!\S)\ ?)?
    (?:(?P<size>{"|".join(SIZES)})(?!\S)\ ?)?
    (?P<of_them>of\ the\ (?:(?:{"|".join(COUNTS)})\ )?)?
    """,
    re.VERBOSE,
)
# Remains of a clause of choice: "dog, the one", "dog that is".
END = re.compile(rf"(?:(?:^|[ ,.;]+)(?:{'|'.join(PREPOSITIONS)}|is|are|the|one)\b)*[ ,.;]*$")
PLURAL = re.compile(r"(?:[^isu]s|men|people|children|feet|geese|teeth|mice)$")


@dataclass(frozen=True)
class Choice:
    """Instances that a phrase means, among all that bear its name.

    Attributes:
        subject: the phrase without the words of choice, for a network that finds all instances.
        towards: direction (x, y) of the place, see DIRECTIONS; None without one.
        size: 1 = the largest comes first, -1 = the smallest, 0 = the size does not matter.
        nth: rank of the first instance in that order, from 1.
        count: number of instances; 0 = all that suit.
    """

    subject: str
    towards: tuple[int, int] | None = None
    size: int = 0
    nth: int = 1
    count: int = 0

    @property
    def everything(self) -> bool:
        """Whether the phrase means all instances."""
        return self.towards is None and not self.size

    @classmethod
    def of(cls, phrase: str) -> Choice:
        """Read a phrase: "the second car from the left" -> the 2nd of the cars, from the left.

        An ordinal without a place or a size counts from the left. Raises AtelierError for a phrase
        that names no object ("the one in the middle"), and for sizes of several without their
        number ("the largest boats").
        """
        rest = ARTICLE.sub("", without_place(phrase))
        start = START.match(rest)
        rank = start["number"] or start["ordinal"]
        towards, size = direction(phrase), SIZES.get(start["size"], 0)
        if towards is None and not size and not rank:
            return cls(nested_phrases(phrase)[0])
        subject = END.sub("", rest[start.end() :])
        if not subject:
            raise AtelierError(f'"{phrase}" names no object; name one, as in "the dog on the left"')
        if towards is None and not size:
            towards = DIRECTIONS["left"]
        nth = int(start["number"] or 0) or 1 + ORDINALS.index(start["ordinal"] or ORDINALS[0])
        several = PLURAL.search(noun(subject)) and not rank and not start["of_them"]
        count = COUNTS.get(start["count"], 0 if several else 1)
        if size and not count:
            raise AtelierError(
                f'"{phrase}" does not say how many; give the number, as in "the two largest boats"'
            )
        return cls(subject, towards, size, nth, count)
