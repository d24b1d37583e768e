"""Targets of an instruction, from its syntax tree.

1. Titles in quotes and blends are set aside (`syntax`).
2. The instruction is cut into clauses: wishes, what they spare, what only describes (`clauses`).
3. Each wish has several readings (`forms`), among which the caller chooses.
4. Several objects of one style become several targets, pronouns the things that they stand for, and
   what is to be spared becomes an exception of the target that would change it.

What cannot be read for sure is refused with the nearest reading (`doubts`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from datamodules.parsing import lexicon as words
from datamodules.parsing.blend import targets_of
from datamodules.parsing.clauses import Clause, clauses, without_asides
from datamodules.parsing.doubts import refuse_doubtful
from datamodules.parsing.forms import Reading, readings
from datamodules.parsing.language import check_language
from datamodules.parsing.names import object_name, style_name
from datamodules.parsing.phrases import names_in
from datamodules.parsing.syntax import Text, tree
from datamodules.task import BACKGROUND, StyleTarget

Choice = Callable[[str, Sequence[Reading]], Reading]  # chooses among the readings of a command

_PRONOUN = re.compile(r"\b(it|him|her|them|he|she|they|which)\b", re.I)
_FOR_STYLE = {"it", "that", "this", "them"}
_HIS = re.compile(r"(?:its|his|her|their)\b", re.I)


@dataclass(frozen=True)
class Wish:
    """The wish of one clause: names of objects, "" for the whole picture, and their style."""

    objects: tuple[str, ...]
    style: str
    clause: Clause


def read_targets(instruction: str, choose: Choice) -> list[StyleTarget]:
    """The targets of an instruction, at least one.

    choose: picks one of the readings of a clause, of which the grammar prefers the first.
    Raises AtelierError for what cannot be read for sure and for other languages.
    """
    check_language(instruction)
    lower = instruction.lower()
    shouted = instruction.isupper() and len(lower) == len(instruction)
    text = Text.of(without_asides(lower if shouted else instruction))
    parts = clauses(tree(text.text))
    wishes, spared = _Reader(choose).read(parts)
    targets = _targets(wishes, spared, text)
    refuse_doubtful(instruction, targets, parts)
    return [_respelled(target, instruction) for target in targets] if shouted else targets


class _Reader:
    """The state of reading clause by clause.

    names:  what was spoken of, for pronouns; the latest and likeliest first, "" for the picture.
    loose_style: a style without an object: "take Klimt's style and put it on X".
    spared: names of what is to remain.
    """

    def __init__(self, choose: Choice) -> None:
        self.choose = choose
        self.wishes: list[Wish] = []
        self.names: list[str] = []
        self.loose_style = ""
        self.spared: list[str] = []

    def read(self, parts: Sequence[Clause]) -> tuple[list[Wish], list[str]]:
        """The wishes of all clauses, and names of what is to remain."""
        requests = [clause for clause in parts if clause.kind == "wish"]
        fragments = [] if requests else _fragments(parts)
        for clause in parts if requests else [c for c in parts if c.kind == "spares"] + fragments:
            if clause in requests or clause in fragments:
                if wish := self._wish(clause):
                    self._add(wish)
            else:
                self._hear(clause)
        return self.wishes, [name for name in self.spared if name]

    def _hear(self, clause: Clause) -> None:
        """Remember what a clause speaks of or spares."""
        self.names = [*_introduced(clause), *self.names]
        if clause.kind == "spares":
            self.spared += [
                antecedent(name, self.names) if name.lower() in words.PRONOUNS else name
                for name in clause.spared
            ]
        elif clause.kind == "maybe":
            self.loose_style = style_name(clause.text)

    def _wish(self, clause: Clause) -> Wish | None:
        """The wish of a clause, with names in place of pronouns."""
        text = clause.text
        while match := words.OPENING.match(text):
            text = text[match.end() :]
        doc = tree(text)
        candidates = readings(doc)
        if not candidates:
            return None
        applied = (r for r in candidates if r.style.lower() in _FOR_STYLE and r.object)
        if self.loose_style and (reading := next(applied, None)) and reading.weight > -2:
            candidates = [replace(reading, style=self.loose_style)]
        first, *others = names_in(doc, candidates[0].object)
        if others:
            text = text.replace(candidates[0].object, first, 1)
            candidates = readings(tree(text)) or candidates
        best = self._choose(text, candidates)
        style = "" if best.style.lower() in words.PRONOUNS else best.style
        return Wish((best.object, *map(object_name, others)), style, clause)

    def _choose(self, text: str, candidates: Sequence[Reading]) -> Reading:
        """The choice among readings in which names stand for pronouns."""
        pronoun = candidates[0].object
        name = antecedent(pronoun, self.names) if pronoun.lower() in words.PRONOUNS else ""
        if name:
            text = _PRONOUN.sub(name, text, count=1)
        resolved = [
            replace(r, object=name) if r.object.lower() in words.PRONOUNS else r for r in candidates
        ]
        return self.choose(text, resolved)

    def _add(self, wish: Wish) -> None:
        """Add a wish; what an earlier one lacks, it completes."""
        last = self.wishes[-1] if self.wishes else Wish((), "", wish.clause)
        whole = ("",)
        if not last.style and last.objects and wish.style and wish.objects in {whole, last.objects}:
            wish = replace(self.wishes.pop(), style=wish.style)
        elif last.objects == whole and wish.style and wish.objects == (last.style,):
            self.wishes.pop()  # "take the statue and give it the style of S"
        elif last.objects == whole and self.loose_style and wish.style == self.loose_style:
            self.wishes.pop()
        elif last.objects == whole and last.style and not wish.style:
            wish = replace(wish, style=self.wishes.pop().style)
        elif (
            any(last.objects)
            and wish.style
            and set(wish.objects) == set(last.objects)
            and (_PRONOUN.search(wish.clause.text))
        ):
            self.wishes.pop()  # the same once more in other words
        self.wishes.append(wish)
        self.loose_style = wish.style if wish.objects == whole else ""
        self.names = [*(name for name in wish.objects if name), *self.names, wish.style]


def _fragments(parts: Sequence[Clause]) -> list[Clause]:
    """The fragments that may be wishes where nothing is asked for: "lego. the police car." """
    kinds = [[c for c in parts if c.kind == kind] for kind in ("maybe", "talk")]
    likely = kinds[0] or kinds[1]
    idle = words.COURTESY | {"go", "you"}
    spoken = [c for c in likely if set(re.findall(r"\w+", c.text.lower())) - idle] or likely
    if len(spoken) < 2 or all(_complete(clause) for clause in spoken):
        return spoken
    return [
        Clause(
            ", ".join(clause.text.rstrip(" .!?") for clause in spoken),
            spared=tuple(name for clause in spoken for name in clause.spared),
            sure=tuple(sure for clause in spoken for sure in clause.sure),
        )
    ]


def _complete(clause: Clause) -> bool:
    """Whether a fragment has an object and a style of its own: "the sky in film noir"."""
    best = next(iter(readings(tree(clause.text))), Reading("", ""))
    return bool(best.object and best.style) and best.weight >= 2.0


def _introduced(clause: Clause) -> list[str]:
    """The things that a clause speaks of, the likeliest first.

    A picture of something is introduced as the picture, which has no name.
    """
    if clause.kind == "spares":
        return [object_name(n) for n in clause.spared if n.lower() not in words.PRONOUNS]
    doc = tree(clause.text)
    by_name = any(
        t.dep_ == "nsubj" and t.pos_ in {"NOUN", "PROPN"} and t.head.lemma_ == "be" for t in doc
    )
    order = {
        "nsubjpass": 0,
        "attr": 5 if by_name else 1,
        "dobj": 1,
        "ROOT": 2,
        "nsubj": 3,
        "pobj": 4,
    }
    nouns = [t for t in doc if t.pos_ in {"NOUN", "PROPN"} and t.dep_ in order]
    nouns.sort(key=lambda t: (order[t.dep_], t.i))
    pictures = {t for t in doc if re.fullmatch(words.PICTURE, t.lower_)}
    spans = [(t.left_edge.i, t.right_edge.i + 1) for t in nouns if t not in pictures]
    names = [object_name(re.split(r", | and ", doc[a:b].text)[0]) for a, b in spans]
    return ["", *names] if pictures else names


def antecedent(pronoun: str, names: Sequence[str]) -> str:
    """The latest name that agrees with a pronoun in number, "" for none and for the picture."""
    plural = pronoun.lower() in {"them", "they", "these", "those"}
    if pronoun.lower() == "it" and names and not names[0]:
        return ""
    agreeing = (name for name in names if name and plural == _is_plural(name))
    other = "" if plural else next(filter(None, names), "")
    return next(agreeing, other)


def _is_plural(name: str) -> bool:
    return next((span.root.tag_ in {"NNS", "NNPS"} for span in tree(name).sents), False)


def _targets(wishes: Sequence[Wish], spared: Sequence[str], text: Text) -> list[StyleTarget]:
    several = len({name for wish in wishes for name in wish.objects}) > 1
    targets = []
    for wish in wishes:
        for name in wish.objects:
            object, phrases = _object(name, wish.clause, spared, several)
            exceptions = [
                text.as_written(object_name(part))
                for phrase in phrases
                for part in names_in(tree(phrase), phrase)
            ]
            targets += [
                replace(target, exceptions=tuple(dict.fromkeys(exceptions)))
                for target in targets_of(text.as_written(object), text.as_written(wish.style))
                if _says_something(target.object) or _says_something(target.style)
            ]
    return targets


def _says_something(name: str) -> bool:
    """Whether a name has a word of content: not "the of and", nor a mark alone."""
    content = {"NOUN", "PROPN", "ADJ", "VERB", "NUM", "X"}
    return any(t.pos_ in content and t.text[:1].isalnum() for t in tree(name))


def _object(
    name: str, clause: Clause, spared: Sequence[str], several: bool
) -> tuple[str, list[str]]:
    """The object of a target, and phrases for what is excepted from it.

    Beside other objects, "the rest" is the background; otherwise it is the whole picture without
    what is spared. What a sentence spares is excepted where it can be a part of the object: of the
    whole picture, of a group or a room, or by its possessive ("its eyes").
    """
    rest = bool(words.REST.fullmatch(name))
    background = bool(words.BACKGROUND.fullmatch(name))
    alone = bool(spared) and not several
    whole = not name or rest or (background and alone)
    own = list(zip(clause.spared, clause.sure, strict=True))
    holds = whole or background or _holds(name)
    exceptions = [phrase for phrase, sure in own if sure]
    if not clause.only:
        beside = [phrase for phrase, sure in own if not sure]
        plural = _is_plural(name)
        exceptions += [n for n in beside if holds or plural or _HIS.match(n) or _is_part(n)]
    if whole or not clause.only:
        exceptions += [n for n in spared if holds or _HIS.match(n) or _is_part(n)]
    exceptions = [n for n in exceptions if n.lower() not in words.PRONOUNS]
    if (background or rest) and not (whole and not several):
        return BACKGROUND, exceptions
    return "" if whole else name, exceptions


def _holds(name: str) -> bool:
    head = re.split(r" (?:with|of|in|on|at) ", name)[0].lower()
    return bool(words.CONTAINERS & set(head.split()))


def _is_part(name: str) -> bool:
    return object_name(name).lower().split(" of ")[0].split()[-1] in words.PARTS


def _respelled(target: StyleTarget, instruction: str) -> StyleTarget:
    """The target, which is in lower case, in the instruction's spelling."""

    def spelled(name: str) -> str:
        start = instruction.lower().find(name)
        return instruction[start : start + len(name)] if start >= 0 else name

    exceptions = tuple(map(spelled, target.exceptions))
    return replace(
        target, object=spelled(target.object), style=spelled(target.style), exceptions=exceptions
    )
