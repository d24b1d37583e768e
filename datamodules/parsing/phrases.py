"""Phrases that name several objects, or all but some: "the cat and the cup", "all but the sky"."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING

from datamodules.parsing import lexicon as words
from datamodules.parsing.exclusions import exclusions, without
from datamodules.parsing.names import object_name
from datamodules.parsing.syntax import Text, tree
from datamodules.support.errors import AtelierError
from datamodules.task import BACKGROUND, StyleTarget

if TYPE_CHECKING:
    from spacy.tokens import Doc, Span

_JOIN = "and also|and|&|plus|as well as|(?:together|along) with"
_ARTICLE = r"(?:the|an?|my|his|her|its|their|our)\b"
_BETWEEN = re.compile(  # two names of a list in which each has its article
    rf",?\s*\b(?:{_JOIN})\s+(?:(?:to|on|onto|for|over)\s+)?(?={_ARTICLE})|,\s+(?={_ARTICLE})", re.I
)
_NESTED = re.compile(r"\b(?:with|of|in|on|that|who|which|between|by)\b", re.I)
_ENDS = re.compile(rf"\A(?:(?:{_JOIN}|as|well)\s+)+|[\s,]+(?:and|or)?\Z", re.I)


def names_in(doc: Doc, phrase: str) -> list[str]:
    """The names that a phrase of a text joins: "the cat, the cup and the saucer" are three.

    Only nouns of the same rank are parted: not "the girl with the cup and the saucer".
    """
    start = doc.text.find(phrase)
    span = doc.char_span(start, start + len(phrase)) if phrase and start >= 0 else None
    if span is None:
        return _listed(phrase, False)
    cuts = _joints(doc, span)
    bounds = [span.start, *(cut + 1 for cut in cuts)]
    parts = [doc[a:b].text for a, b in zip(bounds, [*cuts, span.end], strict=True)]
    parts = [part for text in parts if (part := _ENDS.sub("", text))] or [phrase]
    return [name for part in parts for name in _listed(part, len(parts) > 1)]


def _joints(doc: Doc, span: Span) -> list[int]:
    """Tokens between the nouns that the tree joins on the highest level of a phrase."""
    heads = [span.root, *span.root.conjuncts, *(t for t in span.root.children if t.dep_ == "appos")]
    heads += [t for head in heads for t in head.conjuncts]
    nouns = sorted({t.i for t in heads if t in span and t.pos_ in {"NOUN", "PROPN"}})
    cuts = []
    for first, second in pairwise(nouns):
        between = doc[first + 1 : second]
        well = [t.i for t in between if t.lower_ == "as" and t.nbor(1).lower_ == "well"]
        marks = [t.i for t in between if t.text in {",", "&", "+"} or t.lower_ in {"and", "or"}]
        cuts += well[:1] or marks[-1:]
    return cuts


def _listed(phrase: str, several: bool) -> list[str]:
    """The names of a list in which each has its article, which the tree may miss.

    several: whether the phrase is known to be a part of a list.
    """
    parts = _BETWEEN.split(phrase)
    joins = several or re.search(rf"\b(?:{_JOIN})\b", phrase)
    nested = len(parts) == 1 or _NESTED.search(" ".join(parts[:-1]))
    return parts if joins and not nested else [phrase]


def read_phrase(phrase: str) -> list[StyleTarget]:
    """The objects that a phrase names, with their exceptions, as targets without a style.

    "the cat and the cup" are two objects; "everything but the sky" is the whole picture, "", with
    an exception; a phrase for one object stays as it is. Raises AtelierError for "the rest" and
    other words whose meaning depends on what is not said.
    """
    text = Text.of(phrase)
    doc = tree(text.text)
    gone = exclusions(doc, styled=True)
    rest, _ = without(doc, gone)
    spared = tuple(
        text.as_written(object_name(name))
        for e in gone
        for name in names_in(doc, doc[e.name : e.end].text)
    )
    names = names_in(tree(rest), rest)
    if len(names) == 1 and not spared and not words.WHOLE.fullmatch(rest):
        if words.REST.fullmatch(rest):
            raise AtelierError(
                f"{phrase!r} does not say what is left out; write, for example, "
                '"everything except the cat"'
            )
        background = words.BACKGROUND.fullmatch(rest)
        return [StyleTarget(BACKGROUND if background else phrase, "")]
    targets = [object_name(text.as_written(name)) for name in names]
    whole = [words.WHOLE.fullmatch(name) for name in targets]
    return [
        StyleTarget("" if all_of_it else name, "", exceptions=spared)
        for name, all_of_it in zip(targets, whole, strict=True)
    ]
