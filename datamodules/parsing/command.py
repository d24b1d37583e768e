"""The words of one command: its verb of change, and where the verb's arguments begin."""

from __future__ import annotations

from typing import TYPE_CHECKING

from datamodules.parsing import lexicon as words

if TYPE_CHECKING:
    from spacy.tokens import Doc, Token

_SPEAKERS = {"you", "u", "i", "we", "it", "me", "us", "'s", "\u2019s"}
_US = {"'s", "\u2019s", "us", "me"}


def verb_class(token: Token) -> str:
    """The class of a verb of change, "" for any other word."""
    return words.verb_class(token.lower_, token.lemma_.lower())


class Command:
    """The tree of a clause, without the words of courtesy at its ends.

    doc:   the tree.
    start: index of the first token. end: of the one after the last.
    verb:  index of the verb of change, None without one.
    kind:  its class, "" without one.
    after: index of the first token of its arguments; `start` without a verb.
    """

    def __init__(self, doc: Doc) -> None:
        self.doc = doc
        self.end = _without_closing(doc)
        self.start = 0
        while self.start < self.end and _opens(doc[self.start]):
            self.start += 1
        self.verb = self._verb()
        self.after, self.kind = self.start, ""
        if self.verb is not None:
            self.kind = verb_class(doc[self.verb]) or "draw"
            self.after = self.verb + 1
            while self.after < self.end and self._is_particle(self.after):
                self.after += 1

    def text(self, start: int, end: int) -> str:
        return self.doc[start:end].text if start < end else ""

    def word(self, index: int) -> str:
        """The word at an index in lower case, "" outside the clause."""
        return self.doc[index].lower_ if self.start <= index < self.end else ""

    @property
    def lemma(self) -> str:
        """The lemma of the verb, "" without one."""
        return "" if self.verb is None else self.doc[self.verb].lemma_.lower()

    @property
    def wishes(self) -> bool:
        """Whether the verb only says that something is desired: "I want X in S"."""
        return self.lemma in words.WISH

    def back_over(self, passing: set[str] | frozenset[str], start: int, end: int) -> int:
        """The end of [start, end) without the `passing` words before it.

        A pronoun after a preposition belongs to the name before it: "the river underneath it".
        """
        while end - 1 > start and self.word(end - 1) in passing:
            if self.word(end - 1) == "it" and self.doc[end - 2].pos_ == "ADP":
                break
            end -= 1
        return end

    def names_a_place(self, index: int) -> bool:
        """Whether a preposition is a part of "next to", "in front of", "to the left of"."""
        before, word, after = (self.word(index + step) for step in (-1, 0, 1))
        if word == "to" and before in {"next", "close", "due", "near", "opposite", "belonging"}:
            return True
        near = {after, self.word(index + 2)} if after in words.DETERMINERS else {after}
        return word in {"in", "on", "at", "to"} and bool(near & words.PLACES)

    def _is_particle(self, index: int) -> bool:
        """Whether a token after the verb belongs to it: "paint me ...", "spruce up ..."."""
        word, before, after = (self.word(index + step) for step in (0, -1, 1))
        if self.wishes and (before == "to" or (word == "to" and after in {"have", "see", "get"})):
            return True
        if self.doc[index].dep_ == "prt" or word in {"me", "us", "up", "please", "just", "only"}:
            return True
        if word in {"out", "over", "off"}:
            return after in words.DETERMINERS
        return word == "for" and before in {"go", "going", "opt"}

    def _verb(self) -> int | None:
        """The verb of change; of two in a row ("let's see", "try turning") the second."""
        verbs = [i for i in range(self.start, self.end) if self._commands(i)]
        if not verbs:
            return self._verb_of_wish()
        first = verbs[0]
        lets = self.word(first) == "let" and self.word(self.start + 1) in _US
        if lets and len(verbs) > 1:
            return verbs[1]
        strong = [i for i in verbs if self.word(i) not in words.LIGHT - {"let"}]
        near = self.word(first) in words.LIGHT - {"let"} and strong and strong[0] - first <= 3
        return strong[0] if near else first

    def _verb_of_wish(self) -> int | None:
        for token in self.doc[self.start : self.end]:
            if token.lemma_ in words.WISH and token.pos_ in {"VERB", "AUX"}:
                subjects = (t.pos_ for t in token.lefts if t.dep_ == "nsubj")
                if not {"NOUN", "PROPN"} & set(subjects):
                    return token.i
        return None

    def _commands(self, index: int) -> bool:
        """Whether a token is a verb of change, and of one that nobody has made yet."""
        token, before = self.doc[index], self.word(index - 1)
        if not verb_class(token) or token.dep_ == "aux":
            return False
        if index == self.start:
            return token.lower_ != "using" and self.word(index + 1) not in {":", "=", "of", ""}
        if token.pos_ not in {"VERB", "AUX"} and before not in {"please", "you", ":"}:
            return False
        if token.tag_ in {"VBN", "VBD", "VBZ"} or token.dep_ == "relcl" or token.lower_ == "like":
            return False
        if (token.tag_ == "VBG" and token.dep_ == "acl") or (
            before == "to" and token.lemma_ in {"have", "get", "take"}
        ):
            return False
        articles = {before, self.word(index - 2)} & {"a", "an", "the"}
        articles |= {self.word(index - 3)} & {"a", "an"}
        if articles and self.word(self.start) not in {"for", "in", "on"}:
            return False
        subjects = {t.lower_ for t in token.lefts if t.dep_ in {"nsubj", "nsubjpass"}}
        return subjects <= _SPEAKERS


def _opens(token: Token) -> bool:
    """Whether a word at the beginning says nothing of object and style."""
    skipped = token.lower_ in words.COURTESY | words.FILLERS or token.dep_ == "intj"
    return token.is_punct or (skipped and token.lower_ != "like")


def _without_closing(doc: Doc) -> int:
    """Index of the token after the last one that is no courtesy."""
    end = len(doc)
    while end:
        token = doc[end - 1]
        if match := words.CLOSING.search(doc[:end].text):
            end = sum(t.idx < match.start() for t in doc)
        elif (token.is_punct and token.text != ")") or token.lower_ in words.COURTESY:
            end -= 1
        else:
            break
    return end
