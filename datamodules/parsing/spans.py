"""Spans of an instruction that can name an object or a style: linguistics, not a decision."""

from __future__ import annotations

import re

# A possessive 's is a word of its own, so that "in Monet's style" contains the span "Monet"; and so
# are the endings of "Monet-style" and "Monet-esque".
WORD = re.compile(
    r"['\u2019]s\b|\w+(?:[-.'\u2019](?!(?:s|style|like|esque|inspired|themed)\b)\w+)*",
    re.IGNORECASE,
)
DETERMINER = re.compile("a|an|the|this|that|my|your|his|her|its|our|their|everything|something|it")
CARRIERS = (  # words around a name that never begin or end it
    "a|an|the|and|or|but|in|into|to|onto|on|over|at|as|like|of|with|by|for|from|so|that|is|be|its|"
    "this|my|your|his|her|their|i|you|only|just|please|styles?|looks?|manner|appearance|"
    "textures?|'s|esque|inspired|themed"
)
COMMANDS = (
    "make|turn|give|apply|transform|convert|render|stylize|redo|restyle|repaint|redraw|recolou?r|"
    "making|turning|giving|restyling|have|let|can|could|may|might|should|will|would"
)
NEVER_FIRST = re.compile(f"{CARRIERS}|{COMMANDS}|it|made|me|we")
NEVER_LAST = re.compile(CARRIERS)
NEVER_INSIDE = re.compile(  # ends of clauses, and phrases around a name
    r"[;:!?()\"“”]|[-=]+>|→|(?<!\b\w)(?<!\b\w\w)\.\s"  # a full stop, but not "M. " or "St. "
    r"|,\s*(?:and|but|keep|leave|so|please)\b|\b(?:but|without|please|nothing|not)\b"
    r"|\b(?:style|look|manner|appearance|texture) of\b",
    re.IGNORECASE,
)
WHOLE_PICTURE = re.compile(  # as an object: no object in particular
    r"(?:it )?(?:(?:whole|entire|full) )?(?:all(?: of (?:it|this))?|everything|image|photo|"
    r"photograph|picture|rest|scene|thing)|whole|entire|full",
    re.IGNORECASE,
)
NO_OBJECT = re.compile(  # as an object: the whole picture, or a part of the sentence
    rf"\A(?:{WHOLE_PICTURE.pattern})(?:\Z| (?:to|in|with)\b)"
    r"|\b(?:whole|entire) (?:image|photo|picture|scene)\b"
    r"|\b(?:as|into|like|should|must|to be)\b",
    re.IGNORECASE,
)

Span = tuple[int, int]  # start and end in the instruction, in characters
NO_SPAN: Span = (0, 0)


def legal_spans(instruction: str, max_words: int = 16) -> list[Span]:
    """All runs of up to `max_words` whole words that can name an object or a style."""
    words = [match.span() for match in WORD.finditer(instruction)]
    texts = [instruction[a:b].lower().replace("\u2019", "'") for a, b in words]
    spans = []
    for first, (start, _) in enumerate(words):
        if NEVER_FIRST.fullmatch(texts[first]):
            continue
        for last in range(first, min(first + max_words, len(words))):
            end = words[last][1]
            # A determiner as the second word belongs to a verb and its object: "redo the".
            if NEVER_INSIDE.search(instruction, start, end) or (
                last == first + 1 and DETERMINER.fullmatch(texts[last])
            ):
                break
            if not NEVER_LAST.fullmatch(texts[last]):
                spans.append((start, end))
    return spans


def overlap(a: Span, b: Span) -> bool:
    """Whether two spans share a character; an empty span shares none."""
    return a[0] < b[1] and b[0] < a[1]
