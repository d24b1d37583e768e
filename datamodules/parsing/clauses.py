"""Instructions with several clauses: "the sky to Starry Night and the boat to fire".

Grammar only proposes where an instruction may be cut. Whether every clause has an object and a
style of its own depends on what the parser reads in it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

from datamodules.parsing.blend import targets_of
from datamodules.task import BACKGROUND, StyleTarget

# Between two clauses.
_JOINT = re.compile(
    r"\s*(?:[,;.]\s*(?:and|while|then|but)?|\b(?:(?<!\bblack )and|while|then|but))\s+", re.I
)
# A clause that changes something has one of these between its object and its style.
_TURN = re.compile(
    r"\b(?:to|into|as|like|in|with|becomes?|make|give|look|texture|style|effect)\b|[-=]+>|\u2192",
    re.I,
)
_THE = "the|an?|this|that|my|your|his|her|its|our|their"
_VERB = re.compile(r"(?:turn|make|paint|apply|give|use|render|change|transform|convert)\b", re.I)
# "the snow a mosaic": a clause that has lost its verb and needs no other word.
_BARE = re.compile(rf"(?:{_THE})\s+\w+(?:\s+\w+)?\s+an?\s+\w+", re.I)
# A clause that changes nothing.
_KEEP = re.compile(
    r"(?:please )?(?:keep|leave|preserve|do not|don't|without|only|nothing|not|no)\b"
    r"|style\s*[:=]|applied\b",  # of "object = X, style = S" and "S, applied to X"
    re.I,
)
_BLEND = re.compile(r"-?[\d.]+\s*[*\u00d7]\s*[^+]+(?:\+[^+]+)+")
REST = re.compile(
    r"\b(?:background|backdrop|surroundings|everything else|(?:all )?the rest(?: of (?:it|the "
    r"(?:image|photo|picture|scene)))?)\b",
    re.I,
)


class Reading(NamedTuple):
    """A parser's reading of one clause.

    object, style: "" for what the clause does not name.
    phrase: the part of the clause in which "the rest" stands for an object.
    sure: whether the form of the clause is unmistakable.
    """

    object: str = ""
    style: str = ""
    phrase: str = ""
    sure: bool = False


def split_clauses(instruction: str) -> list[str]:
    """The instruction's clauses, each with a word of change; [instruction] if there is only one.

    A clause that lacks a verb, as it shares the first one's ("and the boat to fire"), gets it.
    """
    clauses, start = [], 0
    for joint in [*_JOINT.finditer(instruction), None]:
        clause = instruction[start : joint.start() if joint else None]
        after = instruction[joint.end() :] if joint else "into"
        # The text after a joint is a clause of its own only if it changes something before the
        # next joint.
        if joint is None or (_changes(clause) and _changes(_JOINT.split(after, maxsplit=1)[0])):
            clauses.append(clause)
            start = joint.end() if joint else 0
    if len(clauses) == 1:
        return clauses
    first = _VERB.match(clauses[0])
    verb = first[0].lower() if first else "turn"
    bare = re.compile(rf"(?:{_THE})\b|\w+(?:\s\w+)?['\u2019]s\b", re.I)
    return [
        f"{verb} {clause}" if bare.match(clause) and not _VERB.match(clause) else clause
        for clause in clauses
    ]


def _changes(clause: str) -> bool:
    changes = _TURN.search(clause) or _BARE.match(clause)
    return bool(changes) and not _KEEP.match(clause.strip())


def targets_by_clause(instruction: str, read: Callable[[str], Reading]) -> list[StyleTarget]:
    """The targets of all clauses if each has an object and a style of its own, else of the whole.

    read: the parser's reading of a clause in which a blend is replaced by its first style.
    Empty if the instruction names neither an object nor a style.
    """
    text = in_lower_case(instruction)
    if text != instruction:
        return [_as_written(target, instruction) for target in targets_by_clause(text, read)]
    if len(clauses := split_clauses(instruction)) > 1:
        pairs = [_object_and_style(clause, read, several=True) for clause in clauses]
        names = {name for name, _ in pairs}
        if all(name and style for name, style in pairs) and len(names) == len(pairs):
            return [target for pair in pairs for target in targets_of(*pair)]
    name, style = _object_and_style(instruction, read, several=False)
    return targets_of(name, style) if name or style else []


def _object_and_style(
    clause: str, read: Callable[[str], Reading], several: bool
) -> tuple[str, str]:
    """The clause's object and its style or blend, "" for what it does not name.

    several: there are other clauses, beside which "the rest" is an object too: BACKGROUND.
    """
    text, blend = take_blend(clause)
    reading = read(text)
    rest = several and REST.search(reading.phrase)
    return BACKGROUND if rest else reading.object, blend or reading.style


def in_lower_case(instruction: str) -> str:
    """The instruction, in lower case if it is all in capitals, which then mean nothing."""
    lower = instruction.lower()
    return lower if instruction.isupper() and len(lower) == len(instruction) else instruction


def _as_written(target: StyleTarget, instruction: str) -> StyleTarget:
    """The target, which is in lower case, in the instruction's spelling."""
    names = []
    for name in (target.object, target.style):
        start = instruction.lower().find(name)
        names.append(instruction[start : start + len(name)] if start >= 0 else name)
    return StyleTarget(*names, target.weight)


def take_blend(clause: str) -> tuple[str, str]:
    """The clause with its blend replaced by the blend's first style, and the blend, "" if none."""
    match = _BLEND.search(clause)
    if not match:
        return clause, ""
    blend = match[0].rstrip(" .,;!")
    first = blend.split("+")[0].split("*")[-1].split("\u00d7")[-1].strip()
    return clause[: match.start()] + first + clause[match.start() + len(blend) :], blend
