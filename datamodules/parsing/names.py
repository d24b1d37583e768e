"""Names of objects and styles, cut out of the words that only introduce them."""

from __future__ import annotations

import re

from datamodules.parsing.lexicon import CARRIER, RENDITION, SUFFIX

_MARKS = " \t.,;:!?-\u2013\u2014\"'()\u201c\u201d"
_THE = "the|an?|this|that|these|those|my|your|his|her|its|our|their|some|teh"
_IT = "(?:it|they|he|she)"
_MADE = r"made|done|built|seen|shown|drawn|\w{3,}(?:ed|wn)(?<!\bred)"  # "painted", "carved"
_BEFORE_OBJECT = re.compile(
    rf"\A(?:{_THE}|just|only|both|every|each|any|how|what|all(?: of)?(?= \w)|of|me|is|are|for|"
    rf"(?:{CARRIER}) of)\s+",
    re.I,
)
_AFTER_OBJECT = re.compile(
    r"[\s,]+(?:only|both|pls|plz|thanks|alone|itself|themselves|please|too|as well|all over|all|"
    r"over|instead|which|that|there|and|but|so|be|is|are|looks?|being|then|to)\Z"
    r"|\s(?:(?:to )?be |being |been |is |are |was |were )?(?:done|redone|made|rendered|painted|"
    r"repainted|drawn|redrawn|turned|transformed|converted|shown|styled|restyled|covered)\Z"
    rf"|['\u2019]s (?:{CARRIER})\Z",
    re.I,
)
_BEFORE_STYLE = re.compile(
    rf"\A(?:{_THE}|just|only|all|to be|be|being|been|is|are|was|were|looks?|if|though|like|as|in|"
    rf"into|to|match|by|with|(?:out )?of|{_IT} (?:is|are|was|were)|{_IT}['\u2019](?:s|re|d)|{_IT} "
    r"(?:came|comes?|stepped|jumped|walked|fell|belongs?|(?:is|was|were|are) taken)(?: straight| "
    rf"right)? (?:out of|from|in|to|into)|something (?:like|out of|resembling|from)?|(?:{CARRIER}|"
    rf"{RENDITION}|bit|hint|dash|layer|coat|splash|lot|way|eyes|lens) of|(?:{_MADE}) (?:out of|of|"
    r"from|by|with|in|like|as|into))\s+(?=\S)",
    re.I,
)
_AFTER_STYLE = re.compile(
    rf"(?:['\u2019]s?)?\s(?:{CARRIER}|{RENDITION})\Z|['\u2019]s\Z|-(?:{SUFFIX})\Z"
    r"| as (?:the|an?|your|my) (?:style|reference|texture|look|model|inspiration|template)\Z"
    r"|[\s,]+(?:styled|inspired|themed|only|itself|alone|please|instead|too|did|does|might|"
    r"would(?: have)?(?: (?:done|painted|drawn)(?: it)?)?|"
    r"(?:painting|paints|painted) (?:it|them)|it|them|now|all over|be|there|and|but)\Z",
    re.I,
)


def _cut(text: str, before: re.Pattern[str], after: re.Pattern[str]) -> str:
    while True:
        shorter = after.sub("", before.sub("", text.strip(_MARKS), count=1), count=1)
        if shorter == text:
            return text
        text = shorter


def object_name(text: str) -> str:
    """The name of an object: "the look of my cat" -> "cat"."""
    return _cut(text, _BEFORE_OBJECT, _AFTER_OBJECT)


def style_name(text: str) -> str:
    """The name of a style: "if it were made of glass" -> "glass", "a Monet look" -> "Monet"."""
    return _cut(text, _BEFORE_STYLE, _AFTER_STYLE)
