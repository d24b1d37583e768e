"""Readings of one command: which of its words name the object X, and which the style S.

The command says one thing: its asides, its exceptions and all but the first of several objects are
gone (see `clauses` and `targets`). It has one of the forms in FORMS, each of which yields its
readings with weights in nats; forms.yaml explains them by examples, which a test reads. The weights
were set by hand on the sets that docs/parsers.md lists for this purpose.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from datamodules.parsing import lexicon as words
from datamodules.parsing.command import Command, verb_class
from datamodules.parsing.names import object_name, style_name
from datamodules.parsing.pivots import (
    LINK,
    MODAL,
    TO_OBJECT,
    TO_STYLE,
    artist,
    attachment,
    in_manner,
    is_carried,
    pivots,
)

if TYPE_CHECKING:
    from spacy.tokens import Doc

Tokens = tuple[int, int]  # first index and the one after the last
# fmt: off
_FRONTS = {
    "in", "with", "as", "like", "using", "following", "after", "by", "inspired", "through", "based",
    "for", "on", "to", "onto",
}
_IN_S = {"in": 2.0, "but": 1.0, "as": 2.5, "like": 2.5, "into": 3.0, "to": 2.5, "with": 0.0,
         "by": -0.5, "using": 1.0, "after": 0.5, "la": 3.0}
_FOR_X = {"for": 2.8, "on": 2.2, "onto": 3.0, "over": 2.2, "across": 2.0, "of": 1.2}
_MARKS = {":": 4.0, "+": 3.0, "/": 3.0, ",": 1.5, "(": 3.0, "|": 3.0, ".": 1.0}
# fmt: on


@dataclass(frozen=True)
class Reading:
    """A reading of a command: its object and its style, "" for what is not named.

    weight: confidence of the grammar, in nats.
    form:   name of the form, a function of this module.
    """

    object: str
    style: str
    weight: float = 0.0
    form: str = ""


def _reading(command: Command, x: Tokens, s: Tokens, weight: float) -> Reading:
    """The reading with the object in tokens x and the style in tokens s."""
    style = style_name(command.text(*(artist(command, *s) or s)))
    return Reading(object_name(command.text(*x)), style, weight)


def _fronted(command: Command) -> Tokens | None:
    """The tokens between a preposition at the beginning and the verb: "in S, paint X"."""
    if command.verb in (None, command.start) or command.word(command.start) not in _FRONTS:
        return None
    passing = words.COURTESY | words.FILLERS | {",", "you", "could", "can", "would", ":"}
    return command.start + 1, command.back_over(passing, command.start, command.verb)


def turn_x_into_s(command: Command) -> Iterator[Reading]:
    if command.verb is None or command.kind in {"apply", "give"} or _fronted(command):
        return
    verb = command.doc[command.verb]
    for end, begin, weight in pivots(command, command.after, verb, command.kind):
        yield _reading(command, (command.after, end), (begin, command.end), weight)


def make_x_s(command: Command) -> Iterator[Reading]:
    """Object and style side by side; also "give X an S look"."""
    if command.verb is None or command.kind == "apply" or _fronted(command):
        return
    first, end, gives = command.after, command.end, command.kind == "give"
    less = 2.0 * _has_pivot(command) + 1.5 * (command.kind == "cover")
    for index, weight in _second_names(command):
        text = command.text(index, end)
        look = gives and (
            is_carried(text) or in_manner(text) or re.match("an? (?:bit|hint) of", text)
        )
        yield _reading(command, (first, index), (index, end), weight - less + 3.5 * bool(look))
    for count in (1, 2, 3):
        index = end - count
        if index > first and command.doc[index].pos_ in {
            "NOUN",
            "PROPN",
            "ADJ",
            "VERB",
            "ADV",
            "X",
        }:
            weight = 0.6 - 0.35 * count + 0.3 * (command.doc[index].pos_ == "ADJ")
            yield _reading(command, (first, index), (index, end), weight - less - 9.0 * gives)


def _has_pivot(command: Command, least: float = -99.0) -> bool:
    verb = command.doc[command.verb]
    all_pivots = pivots(command, command.after, verb, command.kind)
    return any(pivot.weight > least for pivot in all_pivots)


def _second_names(command: Command) -> Iterator[tuple[int, float]]:
    """Tokens at which the style may begin after an object without a pivot, with their weights."""
    first, verb, gives = command.after, command.doc[command.verb], command.kind == "give"
    for index in range(first + 1, command.end):
        token, before = command.doc[index], command.doc[index - 1]
        joined = before.pos_ in {"ADP", "DET", "ADJ", "CCONJ"} or before.lower_ == "like"
        joined |= before.tag_ == "VBG"
        look = is_carried(command.text(index, command.end))
        if token.lower_ in {"a", "an", "some"} and not joined:
            yield index, 1.5 + (command.kind in {"draw", "give", "turn"})
        elif (
            token.lower_ in {"the", "its"} and not joined and index > first + (before.tag_ != "PRP")
        ):
            yield index, 1.5 if gives else -1.0
        elif re.search(rf"-(?:{words.SUFFIX})\Z", token.lower_) and before.pos_ != "DET":
            yield index, 3.0
        elif before.text == "," and look:
            yield index, 4.0
        elif token.pos_ == "PROPN" and before.pos_ in {"NOUN", "PRON"}:
            yield index, 2.0 if look else 1.2
        if token.dep_ in {"oprd", "ccomp", "acomp", "npadvmod", "xcomp", "attr"}:
            lefts = [t.i for t in token.lefts if t.dep_ in {"amod", "compound", "advmod", "det"}]
            if min([*lefts, index]) > first and (token.head == verb or token.dep_ == "ccomp"):
                yield min([*lefts, index]), 1.8


def apply_s_to_x(command: Command) -> Iterator[Reading]:
    if command.verb is None or command.kind not in {"apply", "draw"} or _fronted(command):
        return
    less = 1.5 if command.wishes else 0.0 if command.kind == "apply" else 3.5
    first, end, verb = command.after, command.end, command.doc[command.verb]
    for index in range(first + 1, end - 1):
        word = command.word(index)
        if word not in TO_OBJECT or command.names_a_place(index):
            continue
        over = command.back_over({"all", "over", "on"}, first, index)
        weight = TO_OBJECT[word] + attachment(command.doc[index], verb) - less - 0.02 * index
        names = command.word(index + 1) in words.DETERMINERS | {"everything", "all", "it"}
        weight += (2.0 if names else 0.5) + 3.0 * (less and is_carried(command.text(first, over)))
        yield _reading(command, (index + 1, end), (first, over), weight)
        if re.match(
            rf"as (?:the |an? )?(?:{words.CARRIER}) \w+\Z", command.text(over - 3, index + 1)
        ):
            yield _reading(command, (index + 1, end), (first, over - 3), 8.0)
    if command.kind == "apply":
        yield _reading(command, (end, end), (first, end), 1.0)


def give_s_to_x(command: Command) -> Iterator[Reading]:
    if command.kind != "give" or _fronted(command):
        return
    for index in range(command.after + 1, command.end - 1):
        if command.word(index) == "to" and not command.names_a_place(index):
            weight = 3.5 + attachment(command.doc[index], command.doc[command.verb])
            yield _reading(command, (index + 1, command.end), (command.after, index), weight)


def in_s_paint_x(command: Command) -> Iterator[Reading]:
    """Also "for X, use S"."""
    if s := _fronted(command):
        x = (command.after, command.end)
        if command.word(command.start) in {"for", "on", "to", "onto"}:
            x, s = s, x
        yield _reading(command, x, s, 6.0)


def x_becomes_s(command: Command) -> Iterator[Reading]:
    """Also "X should look like S" and "X is S"."""
    for index, x, lemma in _states(command):
        begin = index + 1
        while begin < command.end and command.word(begin) in LINK | {"a"}:
            begin += 1
        manner = command.word(begin - 1) == "in" and in_manner(command.text(begin, command.end))
        weight = (3.0 if lemma == "be" else 4.5) + 3.0 * manner
        yield _reading(command, x, (begin, command.end), weight)


def s_suits_x(command: Command) -> Iterator[Reading]:
    """Also "S would look good on X" and "S should go onto X"."""
    for index, s, lemma in _states(command):
        begin = index + 1
        while command.word(begin) in words.PRAISE:
            begin += 1
        link = command.word(begin) in {"on", "onto", "over", "across", "for", "with"}
        goes = lemma == "go" and link
        role = re.match(rf"the (?:{words.CARRIER}) (?:of|for) ", command.text(begin, command.end))
        if role:
            yield _reading(command, (begin + 3, command.end), s, 7.0)
            return
        praised = begin > index + 1 and link and command.word(s[1] - 1) != "it"
        if goes or praised or lemma == "suit":
            yield _reading(command, (begin + link, command.end), s, 6.0)


def _states(command: Command) -> Iterator[tuple[int, Tokens, str]]:
    """The first verb of a state with a subject: its index, its subject, its lemma."""
    if command.verb is not None and not command.wishes and command.lemma != "have":
        return
    for index in range(command.start + 1, command.end - 1):
        token = command.doc[index]
        lemma = token.lemma_.lower()
        state = lemma in words.APPEAR or verb_class(token) == "turn"
        verbal = token.pos_ in {"VERB", "AUX"} or token.dep_ == "ROOT"
        if not (state and verbal) or token.dep_ == "relcl":
            continue
        end = command.back_over(MODAL, command.start, index)
        start = _subject(command, end)
        name = object_name(command.text(start, end)).lower()
        if name not in {"", "i", "you", "we", "what", "there", "how", "wish"}:
            yield index, (start, end), lemma
            return


def _subject(command: Command, end: int) -> int:
    """Index of the first token of the subject before token `end`."""
    start = command.start
    if command.verb is not None and command.after < end:
        return command.after
    for token in command.doc[start:end]:
        subject = token.dep_ in {"nsubj", "nsubjpass"} and token.pos_ in {"NOUN", "PROPN", "PRON"}
        if subject and token.lower_ not in {"i", "you", "we", "it", "there", "what", "that"}:
            start = min(t.i for t in token.subtree if t.i >= start)
            break
    while start < end and command.word(start) in {"can", "could", "would", "should", "might"}:
        start += 1
    return start


def x_painted_in_s(command: Command) -> Iterator[Reading]:
    """Also "S applied to X"."""
    if command.verb is not None and not command.wishes:
        return
    for index in range(command.start + 1, command.end - 2):
        token, word = command.doc[index], command.word(index + 1)
        if token.tag_ not in {"VBN", "VBD"} or token.dep_ == "relcl":
            continue
        end = command.back_over(MODAL | {"it"}, command.start, index)
        left, right = (_subject(command, end), end), (index + 2, command.end)
        if verb_class(token) == "apply" and word in TO_OBJECT:
            yield _reading(command, right, left, 5.0)
        elif word in TO_STYLE or word == "out":
            yield _reading(command, left, right, 4.0)


def x_in_s(command: Command) -> Iterator[Reading]:
    if command.verb is not None:
        return
    start, end = command.start, command.end
    unnamed = command.word(start) not in words.DETERMINERS
    for index in range(start + 1, end - 1):
        word = command.word(index)
        if word not in _IN_S or command.names_a_place(index):
            continue
        rest, before = command.text(index + 1, end), command.doc[index - 1]
        weight = _IN_S[word] + 3.0 * (in_manner(rest) or is_carried(rest)) - 0.5 * unnamed
        acts = before.pos_ == "VERB" and (before.tag_ == "VBN" or before.lemma_ in words.APPEAR)
        last = index - (acts and index - 1 > start)
        last = command.back_over(MODAL | {"but", "a", "\u00e0"}, start, last)
        yield _reading(command, (start, last), (index + 1, end), weight)


def s_for_x(command: Command) -> Iterator[Reading]:
    asks = {"get", "have", "see", "draw", "make", "give", "show", "paint"}
    if command.verb is not None and not command.wishes and command.lemma not in asks:
        return
    start = command.after
    article = command.word(start) in {"a", "an"}
    less = (command.verb is not None) * (1.0 if article else 2.5)
    less += 2.0 * (command.word(start) in {"the", "my", "his", "her"})
    for index in range(start + 1, command.end - 1):
        word = command.word(index)
        if word not in _FOR_X or command.names_a_place(index):
            continue
        carried = re.search(
            rf"\b(?:{words.CARRIER}|{words.RENDITION})\Z", command.text(start, index), re.I
        )
        names = command.word(index + 1) in words.DETERMINERS
        weight = (
            _FOR_X[word] + (1.0 if names else -1.0) + 2.5 * bool(carried) - 0.5 * (word == "of")
        )
        end = command.back_over({"all", "over", ","}, start, index)
        yield _reading(command, (index + 1, command.end), (start, end), weight - less)


def x_comma_s(command: Command) -> Iterator[Reading]:
    """Also "X: S", "S. X" and "in S: X"."""
    passing = words.COURTESY | {"but", "think", "try", "use", "in", "as", "like", "on", "for"}
    for index in range(command.start + 1, command.end - 1):
        mark = command.doc[index]
        if not (mark.is_punct or mark.text in _MARKS) or (command.kind and mark.text != ":"):
            continue
        begin = index + 1
        while begin < command.end - 1 and (
            command.doc[begin].is_punct or command.word(begin) in passing
        ):
            begin += 1
        left, right = (command.start, index), (begin, command.end)
        weight = _MARKS.get(mark.text, 1.0) + 2.0 * is_carried(command.text(*right))
        manner = command.word(command.start) in {"in", "as", "with", "like"}
        names = command.word(begin) in {"the", "my", "his", "her"}
        names |= command.word(begin - 1) in {"on", "for"}
        names |= bool(words.WHOLE.fullmatch(object_name(command.text(*right))))
        x, s = (right, left) if manner or names else (left, right)
        yield _reading(command, x, s, weight + manner + names)


def s_x(command: Command) -> Iterator[Reading]:
    """Names side by side: "Warhol-esque soup can", "the pier vaporwave"."""
    if command.verb is not None:
        return
    start, end = command.start, command.end
    suffix = rf"(.+?)(?:-| )(?:{words.SUFFIX}) (?!(?:for|on|of|to|over)\b)(.+)\Z"
    match = re.match(suffix, command.text(start, end), re.I)
    if match and match[1].lower() != "more":
        yield Reading(object_name(match[2]), style_name(match[1]), 3.0)
    the = command.word(start) in words.DETERMINERS - {"a", "an"}
    for count in range(1, min(4, end - start)):
        index = end - count
        if command.doc[index - 1].pos_ in {"NOUN", "PROPN", "ADJ", "VERB"}:
            weight = (0.6 if the else -0.5) - 0.2 * count
            yield _reading(command, (start, index), (index, end), weight)
        index = start + count
        names = [t.text for t in command.doc[start:index] if t.lower_ not in words.DETERMINERS]
        capitals = names and all(name[:1].isupper() for name in names)
        ends = capitals and not command.doc[index].text[:1].isupper()
        weight = 1.0 + 0.1 * count if ends else -0.3 - 0.2 * count
        if command.doc[index].pos_ == "ADP":
            continue
        yield _reading(command, (index, end), (start, index), weight)


def x_alone(command: Command) -> Iterator[Reading]:
    """Also "do something with X"."""
    start, end = command.after, command.end
    text = command.text(start, end)
    if match := re.match(r"something(?: \w+)? (?:with|to|about|for) ", text, re.I):
        yield Reading(object_name(text[match.end() :]), "", 6.0)
    elif command.kind in {"turn", "draw", "cover"} and not _fronted(command):
        needs = command.lemma in {"make", "turn", "tint", "dye", "transform", "convert"}
        weight = 0.3 - 1.8 * _has_pivot(command, 1.0) - needs
        yield _reading(command, (start, end), (end, end), weight)
    elif command.verb is None and command.word(start) in words.DETERMINERS - {"a", "an"}:
        prepositions = {i for i in range(start + 1, end - 1) if not command.names_a_place(i)}
        pivot = {command.word(i) for i in prepositions} & {"in", "as", "like", "into"}
        yield _reading(command, (start, end), (end, end), -1.5 if pivot else 0.5)


def s_alone(command: Command) -> Iterator[Reading]:
    """A style for the whole picture: "like a Rothko"."""
    if command.verb is not None:
        return
    start, end = command.start, command.end
    text = command.text(start, end)
    manner = rf"(?:(?:in )?(?:the|an?) (?:{words.CARRIER}) of|(?:more )?like|as|in) "
    if match := re.match(manner, text, re.I):
        yield Reading("", style_name(text[match.end() :]), 3.0)
    elif is_carried(text):
        yield Reading("", style_name(text), 3.0)
    elif command.word(start) not in words.DETERMINERS - {"a", "an"}:
        yield _reading(command, (end, end), (start, end), -0.2 if end - start < 3 else -1.5)


def spruce_up_x_with_s(command: Command) -> Iterator[Reading]:
    """Any other verb in the imperative."""
    first = command.doc[command.start]
    follows = command.word(command.start + 1) in words.DETERMINERS | {"up", "out", "over"}
    other = first.pos_ in {"ADP", "DET", "PRON", "SCONJ", "CCONJ", "ADV"}
    imperative = first.pos_ == "VERB" or (follows and not other)
    if command.verb is not None or not imperative or command.end - command.start < 2:
        return
    begin = command.start + 1
    while command.word(begin) in {"up", "out", "over", "off", "down"}:
        begin += 1
    for end, style, weight in pivots(command, begin, first, "cover"):
        yield _reading(command, (begin, end), (style, command.end), weight + 1.5)
    yield _reading(command, (begin, command.end), (command.end, command.end), 1.0)


FORMS = (
    *(turn_x_into_s, make_x_s, apply_s_to_x, give_s_to_x, in_s_paint_x, x_becomes_s, s_suits_x),
    *(x_painted_in_s, x_in_s, s_for_x, x_comma_s, s_x, x_alone, s_alone, spruce_up_x_with_s),
)

_X, _S = "(?:objects?|subject|target|what)", "(?:(?:target )?styles?|look|how)"
_IS = r"['\"]?\s*[:=]\s*['\"]?"
_LABELS = [  # which have no syntax
    re.compile(pattern, re.I)
    for pattern in (
        rf"(?:[^.]*?: ?)?{_X}{_IS}(?P<x>[^:=]+?)(?:\s*[,;|/.]?\s*{_S}{_IS}(?P<s>[^:=]+?))?[.\s]*\Z",
        rf"(?:[^.]*?: ?)?{_S}{_IS}(?P<s>[^:=]+?)\s*[,;|/.]?\s*{_X}{_IS}(?P<x>[^:=]+?)[.\s]*\Z",
        r"(?:\w+: )?(?P<x>.+?)\s*(?:[-=]+>|\u2192|=)\s*(?P<s>.+)\Z",
    )
]


def labels(text: str) -> Reading | None:
    """The reading of "object: X, style: S" or "X -> S", None for any other text."""
    match = next((match for label in _LABELS if (match := label.match(text))), None)
    if match is None:
        return None
    return Reading(object_name(match["x"] or ""), style_name(match["s"] or ""), 9.0, "labels")


def readings(doc: Doc) -> list[Reading]:
    """All readings of a command, the one of the greatest weight first."""
    if (label := labels(doc.text)) is not None:
        return [label]
    command = Command(doc)
    if command.start >= command.end:
        return []
    best: dict[tuple[str, str], Reading] = {}
    for form in FORMS:
        for reading in form(command):
            reading = replace(reading, object=_named(reading.object), form=form.__name__)
            pair = (reading.object, reading.style)
            earlier = best.get(pair)
            article = reading.object.lower() in words.DETERMINERS - words.PRONOUNS
            if any(pair) and not article and (earlier is None or reading.weight > earlier.weight):
                best[pair] = reading
    return sorted(best.values(), key=lambda reading: -reading.weight)


def _named(name: str) -> str:
    """The name of an object, "" for words that mean the whole picture; a pronoun stays."""
    whole = words.WHOLE.fullmatch(name) and name.lower() not in words.PRONOUNS
    return "" if whole else name
