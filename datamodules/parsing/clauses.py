"""Clauses of an instruction: its wishes, what they spare, and what is only said.

"This is my cat. Turn everything but the cat to fire, and leave the sofa alone." has one wish, "Turn
everything to fire"; an exception in it, "the cat"; something to be spared, "the sofa"; and a
sentence that only describes.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from datamodules.parsing import lexicon as words
from datamodules.parsing.command import verb_class
from datamodules.parsing.exclusions import exclusions, without
from datamodules.parsing.forms import labels
from datamodules.parsing.joints import pieces, pivot_words
from datamodules.parsing.syntax import tree

if TYPE_CHECKING:
    from spacy.tokens import Doc, Token

_FILLER = re.compile(rf"\A(?:(?:{'|'.join(sorted(words.FILLERS))})\b[\s,]*)+", re.I)
_ASIDES = {  # words that say nothing, and what stands for them
    r",?\s*\b(?:(?:and|but) )?nothing else\b(?! (?:is|gets|stays))": "",
    r",?\s*\(?\band (?:just|only) (?:the|that|this|my) \w+\)?,(?=\s)": "",
    r",? (?:together|along) with ((?:the|his|her|its|my) [^,]+),": r" and \1",
    r"\bis what (?:i|we)(?: would|['\u2019]d)? (?:want|need|like) (for|on)\b": r"\1",
    r"\bnot (?:just|only|merely) (.+?) but also\b": r"\1 and",
    r"\b(?:whatever|(?:everything|all|anything) (?:that|which)) (?:is|lies|stands) (behind|around|"
    r"outside|beyond)\b": r"everything \1",
}
_ARROWED = re.compile(  # each "X -> S" of several
    r"\s*([^,;]+?(?:, [^,;]+?)*?\s*(?:[-=]+>|\u2192)\s*[^,;]+?)\s*(?:[,;]\s*(?:and\s+)?|\s+and\s+"
    r"(?=[^,;]*(?:[-=]+>|\u2192))|\Z)"
)
_TOUCH = (
    "touch|chang|alter|modif|affect|restyl|edit|paint|turn|disturb|recolou?r|transform|includ|"
    "convert"
)
_KEEP = re.compile(
    r"(?:keep|leave|preserve|retain|spare|protect|ignore|skip|maintain|exclude|(?:keep|leav|preserv|"
    r"retain|spar|protect)ing|nothing|no other|not)\b",
    re.I,
)
_DO_NOT = re.compile(
    r"\b(?:do not|don['\u2019]t|never|must not|should not|shouldn['\u2019]t|may not|without|while "
    rf"not|not to)\s+(?:{_TOUCH})\w*",
    re.I,
)
_STAYS = re.compile(
    r"\b(?:stays?|remains?|unchanged|untouched|gets? nothing|(?:is|are) (?:fine|ok|okay|good|"
    r"perfect)|nothing else|(?:do not|don['\u2019]t|not) change anything|as (?:it|they) (?:is|are))"
    r"\b",
    re.I,
)
_AS_IS = re.compile(
    r"\s*,?\s*\b(?:alone|untouched|unchanged|intact|normal|original|out of it|(?:just )?as (?:it|"
    r"they|he|she) (?:is|are|was|were)|as is|the way (?:it|they|he|she) (?:is|are)|(?:exactly )?"
    r"the same|(?:is|are) (?:fine|ok|okay|good|perfect)|gets? nothing|out)\b.*",
    re.I,
)
_ALL = re.compile(
    r"(?:all|everything|anything|nothing|the rest|the others?|that|this|as|else)\b(?! the)", re.I
)
_RESULT = re.compile(rf"result|outcome|output|help|{words.PICTURE}|it|this|that", re.I)
_NAMES_SOMETHING = re.compile(
    r"\b(?:everything|all)\b|\b(?:it|him|her|them|this|that)\b \w+ \w+", re.I
)


@dataclass(frozen=True)
class Clause:
    """A clause of an instruction.

    text:   its words without its exclusions, with a verb if an earlier clause lends it one.
    kind:   "wish", "maybe" (a fragment that may be one), "spares" or "talk".
    spared: names of what it spares or excludes.
    sure:   of each of them, whether it must be a part of what the clause changes.
    only:   whether it says that its object alone changes: "only the boat".
    """

    text: str
    kind: str = "wish"
    spared: tuple[str, ...] = ()
    sure: tuple[bool, ...] = ()
    only: bool = False


def without_asides(text: str) -> str:
    """An instruction without words of courtesy before it and asides in it."""
    while match := words.OPENING.match(text):
        text = text[match.end() :]
    for aside, instead in _ASIDES.items():
        text = re.sub(aside, instead, text, flags=re.I)
    return text


def clauses(doc: Doc) -> list[Clause]:
    """The clauses of an instruction in their order."""
    if labels(doc.text) and (". " not in doc.text or ":" in doc.text):
        return [Clause(part) for part in _ARROWED.findall(doc.text) or [doc.text]]
    gone = exclusions(doc)
    text, places = without(doc, gone)
    parts, before = [], -1
    for tokens, verb in pieces(tree(text)):
        end = tokens[-1].idx + len(tokens[-1]) + 1
        own = [e for e, at in zip(gone, places, strict=True) if before < at <= end]
        names = [doc[e.name : e.end].text for e in own]
        parts.append(_clause(tokens, verb, names, [e.sure for e in own]))
        before = end
    return parts


def _clause(tokens: list[Token], verb: str | None, names: list[str], sure: list[bool]) -> Clause:
    text = re.sub(r"\(\s*\)|\(\s*$", "", _text(tokens)).strip(" ,(")
    only = bool(re.search(r"\b(?:only|just|nothing else)\b", text, re.I))
    kind = "wish" if verb is not None else _kind(tokens, text)
    if kind == "spares" and not names and (name := _spared(text)):
        names, sure = [name], [False]
    if kind != "spares" and verb is not None:
        text = f"{verb} {_FILLER.sub('', text)}".strip()
    return Clause(text, kind, tuple(names), tuple(sure), only)


def _text(tokens: Sequence[Token]) -> str:
    last = tokens[-1]
    parts = [t.text_with_ws if t is last or t.nbor(1) in tokens else f"{t.text} " for t in tokens]
    return "".join(parts).strip()


def _kind(tokens: Sequence[Token], text: str) -> str:
    """The kind of a clause, see `Clause`."""
    skipped = words.FILLERS | words.COURTESY | {"you", "can", "could", "would", "to"}
    first = next((t for t in tokens if not t.is_punct and t.lower_ not in skipped), tokens[0])
    changes = _changes(tokens)
    begins = text[first.idx - tokens[0].idx :] if first in tokens else text
    if _KEEP.match(begins) or _DO_NOT.match(text) or (_DO_NOT.search(text) and not changes):
        return "spares"
    if _STAYS.search(text) and not any(_commands(t) for t in tokens):
        return "spares"
    names = {"NOUN", "PROPN", "ADJ", "NUM", "X"} & {
        t.pos_ for t in tokens if t.lower_ not in words.COURTESY
    }
    if not names and not _NAMES_SOMETHING.search(text):
        return "talk"
    return "wish" if changes else "talk" if _describes(tokens) else "maybe"


def _commands(token: Token) -> bool:
    """Whether a word is a verb of change in an imperative."""
    changes = verb_class(token) and token.tag_ in {"VB", "VBG", "VBP"}
    return bool(changes) and token.lemma_ not in {"stay", "change"} and token.dep_ != "relcl"


def _changes(tokens: Sequence[Token]) -> bool:
    """Whether a clause asks for a change: by an imperative, a question, a wish or a modal verb."""
    if _only_introduces(tokens):
        return False
    showing = {t for k, t in enumerate(tokens) if _shows_picture(tokens, k)}
    if any(t.lower_ in {"take", "show"} for t in showing):
        tokens = [t for t in tokens if t not in showing and t.lemma_ not in words.WISH]
    return any(
        _imperative(token, k, token in showing) or _wishes(token, tokens) or _becomes(token)
        for k, token in enumerate(tokens)
    )


def _only_introduces(tokens: Sequence[Token]) -> bool:
    """Whether a clause is the first of "take the cup and make it gold"."""
    last, words_of = tokens[-1], _text(tokens)
    carried = re.search(
        rf"\b(?:{words.CARRIER}|reference|model|inspiration|template)\b|['\u2019]s\b",
        words_of,
        re.I,
    )
    joined = last.i + 1 < len(last.doc) and last.nbor(1).lower_ == "and"
    return tokens[0].lower_ == "take" and joined and not carried


def _shows_picture(tokens: Sequence[Token], index: int) -> bool:
    """Whether a verb speaks of the picture itself: "take this photo", "you see a boat"."""
    word, after = tokens[index].lower_, tokens[index + 1 : index + 4]
    if word == "see" and _subject(tokens[index]) == "you":
        return True
    verb = word in {"take", "show", "have", "see", "get", "picture"}
    return verb and any(re.fullmatch(words.PICTURE, t.lower_) for t in after)


def _subject(token: Token) -> str:
    return next((t.lower_ for t in token.lefts if t.dep_ in {"nsubj", "nsubjpass"}), "")


def _imperative(token: Token, index: int, shows: bool) -> bool:
    negated = any(t.dep_ == "neg" for t in token.children)
    if not verb_class(token) or token.dep_ in {"relcl", "acl"} or token.lower_ == "like":
        return False
    verbal = token.tag_ in {"VB", "VBG"} and token.pos_ == "VERB"
    begins = index == 0 and (token.tag_ not in {"VBD", "VBN"} or token.lower_ == token.lemma_)
    reports = token.tag_ == "VBG" and _subject(token) in {"i", "we"}  # "I am making a poster"
    return not (negated or shows or reports) and (begins or verbal)


def _wishes(token: Token, tokens: Sequence[Token]) -> bool:
    if token.lemma_ not in words.WISH or _subject(token) not in {"i", "we"} or token.tag_ == "VBD":
        return False
    objects = [t.lower_ for t in token.children if t.dep_ == "dobj"]
    result = any(_RESULT.fullmatch(name) for name in objects)
    return not result or bool(pivot_words(tokens) - {"for", "on"})


def _becomes(token: Token) -> bool:
    head = token.head.lemma_
    if token.lower_ in {"should", "must", "ought"}:
        return True
    if token.tag_ == "MD":
        changes = verb_class(token.head) or head in words.APPEAR | {"have"}
        return bool(changes) and head != "see"
    something = any(t.lower_ == "something" and t.dep_ == "dobj" for t in token.children)
    becomes = token.lemma_ in {"become", "get", "need", "turn", "deserve", "want", "go"}
    subject = _subject(token) not in {"", "i", "we", "you"}
    return becomes and subject and not something and token.tag_ in {"VBZ", "VBP"}


def _describes(tokens: Sequence[Token]) -> bool:
    """Whether a clause is a statement with its subject: "the picture shows a car"."""
    stated = any(
        t.tag_ in {"VBZ", "VBD", "VBP"}
        and {"nsubj", "nsubjpass", "expl"} & {child.dep_ for child in t.lefts}
        for t in tokens
    )
    return stated or bool(re.match(r"(?:here|there)\b|look at|hi\b|hello\b", _text(tokens), re.I))


_VERB = re.compile(
    r"\b(?:keep|leave|preserve|retain|spare|protect|ignore|skip|maintain|exclude|(?:keep|leav|"
    rf"preserv|retain|spar|protect)ing|(?:{_TOUCH})\w*)\s+",
    re.I,
)
_IMPERATIVE = re.compile(
    r"(?:please |also )*(?:keep|leav|preserv|retain|spar|protect|ignor|skip|do |don|never|without)",
    re.I,
)
_SUBJECT = re.compile(
    r"(.*?)\s*(?:,|\b(?:must|should|has to|have to|needs? to|can|may|shall|will|is to|are to)\b)?"
    r"\s*(?:not (?:change|be changed)|stays?|remains?|gets? nothing|(?:is|are) (?:fine|ok))",
    re.I,
)


def _spared(text: str) -> str:
    """The name of what a clause spares, "" for everything that other clauses do not name."""
    text = _FILLER.sub("", text)
    if happens := re.search(r"\bhappen to (.*)", text, re.I):
        return happens[1].strip(" .,;!")
    verb, subject = _VERB.search(text), _SUBJECT.match(text)
    if verb and (_IMPERATIVE.match(text) or not subject):
        name = text[verb.end() :]
    else:
        name = subject[1] if subject else ""
    name = _AS_IS.sub("", name).strip(" .,;!")
    if verb and verb[0].lower().startswith("leav"):  # "leaving the lawn green"
        name = re.sub(r"\s+(?:green|blue|red|white|black)\Z", "", name)
    return "" if _ALL.match(name) else name
