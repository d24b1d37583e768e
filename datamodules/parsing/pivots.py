"""Pivots: the words between an object X and a style S, such as "into", "as" or "look like".

Their weights are in nats. The tree tells to which verb or noun a preposition belongs, but errs now
and then, so each pivot gives a reading of its own and the tree only adds to its weight.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from datamodules.parsing import lexicon as words
from datamodules.parsing.command import Command, verb_class

if TYPE_CHECKING:
    from spacy.tokens import Token

# fmt: off
TO_STYLE = {  # X into S
    "into": 5.0, "to": 3.5, "like": 3.5, "as": 3.5, "resembling": 3.0, "reminiscent": 3.0,
    "inspired": 3.0, "using": 2.5, "in": 1.5, "through": 1.5, "with": 1.0, "after": 1.0, "via": 1.0,
    "from": 0.5, "by": 0.2, "for": -0.5, "of": -3.0,
}
OF_VERB = {  # what a class of verbs adds
    "turn": {"into": 2.0, "to": 2.0},
    "exchange": {"for": 6.0, "with": 3.0, "by": 3.0, "to": 2.0},
    "cover": {"with": 3.0, "in": 2.5, "from": 2.0, "of": 2.0, "by": 1.0},
    "draw": {"with": 0.5, "in": 1.0, "of": 1.0, "after": 2.5},
}
TO_OBJECT = {  # S to X
    "onto": 4.0, "to": 3.0, "upon": 3.0, "on": 2.5, "over": 2.5, "across": 2.5, "for": 2.5,
    "in": 0.8, "around": 0.5,
}
PASSING = {"so", "that", ",", "be", "to", "but", "all", "and", "is", "are", "was", "were", "being"}
MODAL = {  # between a subject and its verb
    "to", "should", "would", "could", "must", "can", "might", "may", "shall", "will", "needs",
    "need", "has", "have", "ought", "supposed", "better", "be", "is", "are", "was", "were", "been",
    "so", "that", "they", "he", "she", ",", "and", "which", "actually", "also", "only", "just",
    "really", "please", "itself",
}
LINK = {  # between a verb of likeness and S
    "like", "as", "if", "though", "to", "be", "in", "more", "very", "really", "so", "into", "on",
    "out", "of", "up", "made", "turned", "done", "rendered", "painted", "transformed", "converted",
    "good", "great", "better", "best", "nice", "cool", "just", "all",
}
_WORN = {"parked", "wearing", "held", "called", "dressed", "named", "based", "seated"}
_MADE = {"made", "painted", "drawn", "done", "rendered", "covered", "carved", "sculpted"}
# fmt: on
_MANNER = re.compile(rf"(?:the|an?) (?:\w+ )?(?:{words.CARRIER}|spirit|way|eyes) of\b", re.I)
_CARRIED = re.compile(rf".*\b(?:{words.CARRIER})\Z", re.I)


class Pivot(NamedTuple):
    """A pivot: index after the last token of X, index of the first token of S, weight in nats."""

    end: int
    begin: int
    weight: float


def in_manner(text: str) -> bool:
    """Whether a text begins with "the style of", "a look of" or the like."""
    return bool(_MANNER.match(text))


def is_carried(text: str) -> bool:
    """Whether a text ends with "style", "look" or the like."""
    return bool(_CARRIED.match(text.strip(" .!")))


def attachment(token: Token, verb: Token) -> float:
    """Evidence, in nats, that a preposition belongs to the verb rather than to a noun."""
    head = token.head
    if head == verb:
        return 2.0
    if head.pos_ in {"VERB", "AUX"} and head.i > verb.i and head.dep_ != "relcl":
        return -1.0 if head.dep_ == "acl" else 1.2
    return -0.7 if head.pos_ in {"NOUN", "PROPN", "PRON"} else 0.0


def pivots(command: Command, start: int, verb: Token, kind: str) -> Iterator[Pivot]:
    """Every pivot after token `start`, the first one of the arguments of a verb of a class."""
    for index in range(start + 1, command.end - 1):
        yield from _preposition(command, start, index, verb, kind)
        yield from _likeness(command, start, index, verb)
        yield from _participle(command, start, index)
        if command.text(index - 1, index + 1).lower() in {"the way", "a la", "\u00e0 la"}:
            yield Pivot(index - 1, index + 1, 4.0)


def _preposition(
    command: Command, start: int, index: int, verb: Token, kind: str
) -> Iterator[Pivot]:
    token, word, after = command.doc[index], command.word(index), command.word(index + 1)
    weight = TO_STYLE.get(word)
    if weight is None or (token.pos_ in {"NOUN", "PROPN"} and weight < 3.0):
        return
    if command.names_a_place(index) or (word, after) in {
        ("as", "it"),
        ("as", "they"),
        ("in", "to"),
    }:
        return
    weight += OF_VERB.get(kind, {}).get(word, 0.0) + attachment(token, verb)
    weight += _of_style(word, command.text(index + 1, command.end))
    end, begin, before = index, index + 1, command.word(index - 1)
    if before in {"in", "out", "according"} and word in {"to", "of"}:
        end, weight = index - 1, weight + 5.0
    elif word == "as" and after in {"if", "though"}:
        begin, weight = index + 2, weight + 2.0
    later = 0.02 * index  # decides between two that are equal otherwise
    yield Pivot(command.back_over(PASSING, start, end), begin, weight + later)


def _of_style(word: str, rest: str) -> float:
    """Weight, in nats, that the words after a preposition add to its own."""
    if word not in {"in", "with", "to", "through"}:
        return 0.0
    if in_manner(rest):
        return 4.0
    place = re.match(r"(?:the|his|her|its|my) ", rest, re.I)  # styles have no such article
    return 2.5 * is_carried(rest) - 2.5 * bool(place)


def _likeness(command: Command, start: int, index: int, verb: Token) -> Iterator[Pivot]:
    token, word, after = command.doc[index], command.word(index), command.word(index + 1)
    before, lemma = command.word(index - 1), token.lemma_.lower()
    noun = before in {"a", "the", "'s", "an", "of", "new"}
    appears = lemma in words.APPEAR and token.pos_ in {"VERB", "AUX"}
    looks = word in {"look", "looks", "looked", "resemble", "feel"} and after in {"like", "as", "a"}
    has = word == "have" and before == "to"
    if noun or token == verb or token.dep_ == "relcl" or not (appears or looks or has):
        return
    begin = index + 1
    while begin < command.end and (
        command.word(begin) in LINK
        or (command.doc[begin].tag_ == "RB" and command.word(begin + 1) in {"like", "as", "in"})
    ):
        begin += 1
    weight = 4.0 + 1.5 * (token.head == verb or token.dep_ in {"ccomp", "xcomp"})
    weight -= {"be": 1.5, "look": -1.0, "resemble": -1.0, "become": -1.0}.get(lemma, 0.5)
    end = command.back_over(MODAL | {"it"}, start, index)
    if start < end and begin < command.end:
        yield Pivot(end, begin, weight)


def _participle(command: Command, start: int, index: int) -> Iterator[Pivot]:
    token, word = command.doc[index], command.word(index)
    links = {"like", "as", "in", "by", "of", "from", "with", "out", "into"}
    if token.tag_ not in {"VBN", "VBD"} or command.word(index + 1) not in links or word in _WORN:
        return
    weight = 2.2 + (word in _MADE) + (1.0 if token.dep_ in {"ccomp", "xcomp"} else -0.3)
    yield Pivot(command.back_over(PASSING, start, index), index + 2, weight)


def artist(command: Command, start: int, end: int) -> tuple[int, int] | None:
    """The tokens that name the artist in "as if Cezanne had painted it", "the way Monet would"."""
    for token in command.doc[start:end]:
        verb = token.head
        acts = verb.pos_ == "AUX" or verb_class(verb) or verb.lemma_ in {"do", "imagine", "see"}
        is_name = token.dep_ in {"nsubj", "nsubjpass"} and token.pos_ in {"PROPN", "NOUN"}
        if is_name and acts and token.i < verb.i < end and verb.tag_ != "VBG":
            passive = any(t.dep_ == "auxpass" for t in verb.lefts)
            return None if passive else (min(t.i for t in token.subtree), token.i + 1)
    return None
