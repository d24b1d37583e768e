"""Joints of an instruction: the places at which one clause ends and the next begins."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from datamodules.parsing import lexicon as words
from datamodules.parsing.command import verb_class
from datamodules.parsing.pivots import TO_STYLE

if TYPE_CHECKING:
    from spacy.tokens import Doc, Token

ENDS = {".", "!", "?", ";", "..."}
# fmt: off
_JOINTS = {
    ",", "and", "but", "while", "though", "although", "whereas", "yet", "then", "so", "-", "\u2013",
    "\u2014", "(", ":",
}
_FRONTS = {  # first words of a phrase before its verb
    "in", "with", "as", "like", "using", "following", "after", "by", "inspired", "for", "on", "to",
    "onto", "through", "based", "from",
}
_SUBJECTS = {"i", "you", "we", "it", "he", "she", "they", "which", "can", "could", "would"}
_IMPERATIVES = {"keep", "keeping", "leave", "leaving", "preserve", "preserving", "do", "don", "let"}
# fmt: on
_STRONG = {"into", "to", "as", "like"}
_LOOK = re.compile(rf"\b(?:an?|the) (?:[\w-]+ ){{1,3}}(?:{words.CARRIER})\s*\Z", re.I)
_TWO_NAMES = re.compile(  # "the snow a mosaic"
    r"(?:the|my|his|her) \w+(?: (?!as |in |to |like |of |with |into )\w+)? an? [\w-]+"
    r"(?: [\w-]+){0,2}",
    re.I,
)


def begins_name(token: Token) -> bool:
    """Whether a token can be the first of a noun phrase."""
    if token.lower_ in {"anything", "nothing", "else"}:
        return False
    return token.pos_ in {"DET", "NOUN", "PROPN", "ADJ", "NUM"} or token.tag_ in {"PRP$", "PDT"}


def continues_list(doc: Doc, index: int) -> bool:
    """Whether a comma continues a list of names: "the sky, the sea and the boat"."""
    after = doc[index + 1 :] if index + 1 < len(doc) else []
    if doc[index].text != "," or not after or not begins_name(after[0]):
        return False
    for token in after:
        if token.pos_ in {"VERB", "AUX", "ADP"} or token.text in ENDS | {":"}:
            return False
        if token.lower_ in {"and", "&", "or"}:
            return token.i + 1 < len(doc) and begins_name(doc[token.i + 1])
    return False


def starts_clause(doc: Doc, index: int) -> bool:
    """Whether a clause begins at a token, by a verb or by a subject with its verb."""
    index = _skip_fillers(doc, index)
    if index >= len(doc):
        return False
    token = doc[index]
    after = doc[index + 1] if index + 1 < len(doc) else None
    if token.lower_ in _IMPERATIVES:
        return True
    if token.tag_ in {"VB", "VBP", "VBG"} or (token.pos_ == "VERB" and token.tag_ != "VBN"):
        changes = verb_class(token) or token.lemma_ in words.KEEP | words.WISH
        return bool(changes) and after is not None and not after.is_punct
    if verb_class(token) and after is not None and after.lower_ in words.DETERMINERS:
        return True
    if token.lower_ in _SUBJECTS:
        verbal = after is not None and (after.pos_ in {"AUX", "VERB", "PART"} or after.tag_ == "MD")
        return after is not None and (verbal or token.lower_ in {"can", "could", "would"})
    if token.lower_ in {"for", "in"} and after is not None:  # "and for the rest use S"
        end = next((t.i for t in after.doc[index:] if t.text in ENDS | {","}), len(doc))
        return any(_commands(t) and t.nbor(-1).pos_ == "NOUN" for t in doc[index + 1 : end])
    return _has_finite_verb(doc, index)


def _skip_fillers(doc: Doc, index: int) -> int:
    skipped = words.COURTESY | words.FILLERS | {"'s", ","}
    start = index
    while index < len(doc) and doc[index].lower_ in skipped:
        index += 1
    joined = doc[max(start - 1, 0)].lower_ == "and" or index > start
    return index + (joined and doc[index : index + 1].text == "to")  # "and to leave it alone"


def _has_finite_verb(doc: Doc, index: int) -> bool:
    """Whether a noun phrase with its finite verb begins at a token."""
    for token in doc[index:]:
        bare = token.lower_ in {"look", "burn"}  # of "make X and Y look like S"
        if token.is_punct or token.lower_ in {"and", "but", "while"} or bare:
            return False
        if token.tag_ in {"MD", "VBZ", "VBP"} and token.dep_ != "relcl" and token.i > index:
            after = doc[token.i + 1 : token.i + 2]
            if token.tag_ == "MD" and any(t.pos_ in {"VERB", "AUX", "PART", "ADV"} for t in after):
                return True
            states = token.lemma_ in words.APPEAR | words.STAY
            verb = token.head if token.dep_ in {"aux", "auxpass"} else token
            subjects = [t for t in verb.lefts if t.dep_ in {"nsubj", "nsubjpass"}]
            states = states and not any(t.left_edge.i > index for t in subjects)
            return after.text == "to" or (token.tag_ != "MD" and states)
    return False


def fronted(tokens: Sequence[Token]) -> bool:
    """Whether a text is only a phrase before its verb: "in the style of Monet"."""
    skipped = words.FILLERS | words.COURTESY
    first = next((t for t in tokens if not t.is_punct and t.lower_ not in skipped), None)
    verbs = [t for t in tokens if t.tag_ in {"VB", "VBZ", "VBD", "MD"} and t.dep_ != "relcl"]
    return first is None or (first.lower_ in _FRONTS and not verbs)


def pivot_words(tokens: Sequence[Token]) -> set[str]:
    """The words that may stand between object and style in a clause."""
    verbs = [t for t in tokens if t.pos_ in {"VERB", "AUX"} and t.lemma_ not in words.WISH]
    verbless = not verbs and len(tokens) > 2 and any(t.lower_ == "for" for t in tokens)
    applies = any(verb_class(t) == "apply" and t.pos_ == "VERB" for t in tokens[:4])
    inner = {t.lower_ for t in tokens[1:-1] if t.head.dep_ not in {"acl", "relcl"}}
    if applies or verbless:
        return inner & {"to", "onto", "on", "over", "for"}
    pivots = {t.lower_ for t in tokens[1:-1]} & (TO_STYLE.keys() - {"of", "by", "from", "for"})
    pivots |= {"look" for t in tokens if t.lower_ in {"look", "looks"}}
    return pivots | {"out of" for t in tokens[:-1] if t.lower_ == "out" and t.nbor(1).text == "of"}


def _lends_verb(left: Sequence[Token], index: int, borrowed: bool) -> bool:
    """Whether a clause that has lost its verb begins at a token: "and the boat to fire".

    borrowed: whether the clause before it has borrowed its verb, too.
    """
    doc = left[0].doc
    end = next((t.i for t in doc[index:] if t.text in ENDS), len(doc))
    while index < end and doc[index].lower_ in words.FILLERS:
        index += 1
    right = list(doc[index:end])
    if not right or not (begins_name(right[0]) or right[0].lower_ == "everything"):
        return False
    text = doc[index:end].text.strip(" .!")
    own = {t.lower_ for t in right[1:-1] if t.head.dep_ not in {"acl", "relcl"}}
    rest = words.REST.match(text) or words.BACKGROUND.match(text)
    if rest and pivot_words(left) and own & (_STRONG | {"in", "with", "using"}):
        return True
    before = next((k for k, t in enumerate(right) if _commands(t)), len(right))
    styled = re.search(rf"\bin the (?:{words.CARRIER}) of\b", doc[left[0].i : index].text, re.I)
    if styled and pivot_words(right[:before]) & _STRONG:
        return True
    shared = pivot_words(left) & (own | pivot_words(right[:before]))
    if shared:
        return bool(shared & _STRONG) or not pivot_words(right[:before]) & _STRONG
    ended = re.split(r", | and ", text)[0]
    if _LOOK.search(doc[left[0].i : left[-1].i + 1].text) and _LOOK.search(ended):
        return True
    names = {"NOUN", "PROPN"}
    two = len(left) > 3 and left[-2].pos_ in names and left[-1].pos_ in names | {"ADJ"}
    two |= bool(_TWO_NAMES.fullmatch(doc[left[0].i + 1 : left[-1].i + 1].text))
    says = borrowed or pivot_words(left) or two or any(t.pos_ == "AUX" for t in left)
    return bool(_TWO_NAMES.fullmatch(ended.strip(" .!,")) and says)


def _commands(token: Token) -> bool:
    changes = token.pos_ == "VERB" and verb_class(token) and token.tag_ in {"VB", "VBP"}
    return bool(changes) and token.dep_ not in {"relcl", "xcomp", "advcl", "pobj"}


def pieces(doc: Doc) -> Iterator[tuple[list[Token], str | None]]:
    """The tokens of every clause and the verb that it borrows from an earlier one.

    The verb is "" if the earlier one has none either, None for a clause that borrows none.
    """
    piece: list[Token] = []
    verb: str | None = None
    for token in doc:
        if (token.text in ENDS and token.i + 1 < len(doc) and piece) or (
            piece and _parts(piece, token)
        ):
            yield piece, verb
            piece, verb = [], None
        elif piece and _joins(token) and _lends_verb(piece, token.i + 1, verb is not None):
            lent = _verb_of(piece)
            yield piece, verb if verb is not None or lent else ""
            piece, verb = [], verb or lent
        elif not token.is_space:
            piece.append(token)
    if piece:
        yield piece, verb


def _joins(token: Token) -> bool:
    return token.lower_ in _JOINTS - {":", "("}


def _parts(left: Sequence[Token], token: Token) -> bool:
    """Whether a token ends a clause and begins one with a verb of its own."""
    doc, index = token.doc, token.i + 1
    pairs = {("so", "that"), ("as", "though")}
    paired = {(token.lower_, doc[index : index + 1].text), (token.nbor(-1).lower_, token.lower_)}
    if (
        token.lower_ not in _JOINTS
        or pairs & paired
        or fronted(left)
        or not starts_clause(doc, index)
    ):
        return False
    # An "and" before a noun may as well join two nouns if nothing has been said of the first.
    says = pivot_words(left) & _STRONG or any(
        t.lower_ == "style" or (t.pos_ in {"VERB", "AUX"} and t.dep_ not in {"relcl", "acl"})
        for t in left
    )
    first = next((t for t in doc[index:] if t.lower_ not in words.FILLERS), doc[-1])
    return bool(says) or not begins_name(first) or bool(verb_class(first))


def _verb_of(tokens: Sequence[Token]) -> str:
    """The verb that a clause lends to the next, "" for one without a verb."""
    verbs = [t for t in tokens if t.pos_ in {"VERB", "AUX"} and t.tag_ not in {"VBN", "VBD"}]
    if tokens[0].lower_ == "i" and any(t.lemma_ in words.WISH for t in tokens[1:4]):
        return tokens[0].doc[tokens[0].i : tokens[0].i + 2].text  # "I want"
    return next((t.text for t in verbs if verb_class(t)), "turn" if verbs else "")
