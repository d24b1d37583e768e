"""Exclusions in an instruction: "except the cat", "but not its eyes", "all behind the cat"."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from datamodules.parsing import lexicon as words
from datamodules.parsing.command import verb_class
from datamodules.parsing.joints import ENDS, begins_name, continues_list, starts_clause
from datamodules.parsing.pivots import TO_STYLE

if TYPE_CHECKING:
    from spacy.tokens import Doc, Token

_MARK = re.compile(
    r"(?:,\s*|\(\s*|[-\u2013\u2014]+\s*|;\s*)?\b(?:"
    r"(?<=, )(?:everything|all) (?:but|except)(?: for)?|(?<=, )bar|with the exception of|"
    r"(?:except|excepting|excluding|barring|sans|minus|not including)(?: (?:for|on|in|at))?|"
    r"(?:apart|aside) from|other than|besides|save for"
    # Words that may as well speak of something beside the object:
    r"|(?P<beside>(?:(?:but|and|just|though|only|so) )*not(?: (?:on|for|to|in))?|(?:without|w/o|"
    r"while not|but not|and not|never)(?: (?:touching|changing|altering|modifying|affecting|"
    r"including|restyling|editing|painting|turning|disturbing|converting))?)"
    # Words that exclude something only from all:
    r"|(?P<of_all>(?:that|which|who)(?:(?: is| are| was| were)(?: not|n['\u2019]t)| ai?n['\u2019]t)"
    r"|but(?: for)?|behind|around|outside(?: of)?|beyond|surrounding)"
    r")(?=\s+\w)",
    re.I,
)
_ALL = re.compile(
    r"\b(?:everything|all|anything|everyone|(?:every|any|each|whole|entire|full)(?: \w+){1,2}|all "
    rf"(?:of )?(?:the|my|these|those) \w+(?: \w+)?|(?:the|this|my) (?:{words.PICTURE})|every \w+ "
    rf"of (?:the|this|my) (?:{words.PICTURE}))\s*,?\Z",
    re.I,
)
_STRONG, _WEAK = {"into", "to", "as", "like"}, {"in", "with", "using"}


@dataclass(frozen=True)
class Exclusion:
    """Tokens [start, end) that exclude something, whose name begins at `name`.

    sure: whether the words can only mean a part of what the wish names ("except", "all but") and
          not also something beside it ("without touching the bed").
    """

    start: int
    name: int
    end: int
    sure: bool


def exclusions(doc: Doc, styled: bool = False) -> list[Exclusion]:
    """The exclusions in a text, from left to right; they do not overlap.

    styled: whether the text names no style, so that no preposition in it leads to one.
    """
    result: list[Exclusion] = []
    for match in _MARK.finditer(doc.text):
        start = next((t.i for t in doc if t.idx >= match.start()), len(doc))
        name = next((t.i for t in doc if t.idx >= match.end()), len(doc))
        before = doc.text[: match.start()]
        if name >= len(doc) or (result and start < result[-1].end):
            continue
        if match["of_all"] and not _ALL.search(before):
            continue
        needs_name = match["beside"] or (match["of_all"] or "").lower().startswith("but")
        if needs_name and not begins_name(doc[name]):
            continue
        if match[0].lower().endswith("not") and start and _negates_verb(doc[start]):
            continue
        end = _end_of_name(doc, start, name, not before.strip(" ,"), styled)
        if end > name:
            result.append(Exclusion(start, name, end, not match["beside"]))
    return result


def _negates_verb(token: Token) -> bool:
    """Whether a "not" belongs to the verb before it: "should not change", "do not touch"."""
    return token.lower_ == "not" and token.nbor(-1).pos_ in {"AUX", "VERB", "PART"}


def _end_of_name(doc: Doc, start: int, name: int, leading: bool, styled: bool) -> int:
    """Index of the token after the name of what is excluded.

    A pivot ends the name, but not in a clause that has named its style before: "turn all to fire
    but the man in the hat". A weak pivot ("in", "with") ends it only if no strong one follows.
    leading: whether the exclusion stands at the beginning, where a comma ends it.
    styled: whether the style is already named elsewhere.
    """
    earlier = doc[_clause_start(doc, start) : start]
    gives = any(t.lemma_ in words.VERBS["give"] for t in earlier)
    limit = next((t.i for t in doc[name + 1 :] if _ends_name(t, gives)), len(doc))
    styled |= not leading and any(
        (t.lower_ in _STRONG | _WEAK and t.i > 0) or verb_class(t) == "apply" for t in earlier
    )
    if (leading and doc[limit : limit + 1].text == ",") or styled:
        return limit
    own = [t for t in doc[name + 1 : limit] if not _of_place(t)]
    strong = [t.i for t in own if t.lower_ in _STRONG]
    weak = [t.i for t in own if t.lower_ in _WEAK and (not strong or t.i < strong[0])]
    return min(strong[:1] or weak[-1:] or [limit])


def _clause_start(doc: Doc, index: int) -> int:
    joints = {",", "and", "but", "while", "then"}
    starts = (
        t.i + 1
        for t in reversed(doc[:index])
        if t.text in ENDS or (t.lower_ in joints and starts_clause(doc, t.i + 1))
    )
    return next(starts, 0)


def _ends_name(token: Token, gives: bool) -> bool:
    """Whether a token begins what follows the name: a clause, a verb, or what is given to it."""
    doc, word = token.doc, token.lower_
    if token.is_punct and token.text not in {"-", "'"}:
        return not continues_list(doc, token.i)
    if word in {"and", "but", "while", "then"} and starts_clause(doc, token.i + 1):
        return True
    if gives and word in {"a", "an"}:
        return True
    after = doc[token.i + 1 : token.i + 2].text
    if token.tag_ in {"VBN", "VBD"} and verb_class(token) and after in TO_STYLE:
        return True
    appears = token.pos_ == "VERB" and token.lemma_ in words.APPEAR and token.dep_ != "acl"
    finite = token.tag_ in {"MD", "VBZ", "VBP"} or (appears and token.tag_ == "VB")
    relative = any(t.dep_ == "nsubj" and t.lower_ in {"that", "which", "who"} for t in token.lefts)
    return finite and token.dep_ != "relcl" and not relative


def _of_place(token: Token) -> bool:
    """Whether a preposition is a part of "next to", "on the left", "in the background"."""
    after = {t.lower_ for t in token.doc[token.i + 1 : token.i + 3]}
    return bool(after & words.PLACES) or token.nbor(-1).lower_ in {"next", "close", "near"}


def without(doc: Doc, gone: Sequence[Exclusion]) -> tuple[str, list[int]]:
    """A text without its exclusions, and the places in it, in characters, where they were."""
    text, places, start = "", [], 0
    for exclusion in gone:
        if start < exclusion.start:
            text += doc[start : exclusion.start].text_with_ws
        text = text.rstrip(" ,(") + " " if text.strip() else ""
        places.append(len(text.rstrip()))
        start = exclusion.end
        closes = doc[start : start + 1].text in {",", ")"}
        if closes and (not text or not starts_clause(doc, start + 1)):
            start += 1
    rest = doc[start:].text if start < len(doc) else ""
    return (text.rstrip() if rest[:1] in {*",.;!?:"} else text) + rest, places
