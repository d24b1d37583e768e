"""Instructions that ask for several things at once: "the sky to Starry Night and the boat to fire".

Grammar only proposes where an instruction may be cut; whether every clause names an object and a
style of its own is for the parser to say.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from datamodules.parsing.blend import targets_of
from datamodules.task import StyleTarget

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
# "the snow a mosaic": a clause that has lost its verb and needed no other word.
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


def split_clauses(instruction: str) -> list[str]:
    """The instruction's clauses, each with a word of change; [instruction] if it is only one.

    A clause that has lost its verb to the first one ("and the boat to fire") gets it back.
    """
    clauses, start = [], 0
    for joint in [*_JOINT.finditer(instruction), None]:
        clause = instruction[start : joint.start() if joint else None]
        after = instruction[joint.end() :] if joint else "into"
        # What follows is a clause of its own only if it changes something before it is joined on.
        own = joint is None or (_changes(clause) and _changes(_JOINT.split(after, maxsplit=1)[0]))
        if own:
            clauses.append(clause)
            start = joint.end() if joint else 0
    if len(clauses) == 1:
        return clauses
    first = _VERB.match(clauses[0])
    verb = first[0].lower() if first else "turn"
    lost = re.compile(rf"(?:{_THE})\b|\w+(?:\s\w+)?['\u2019]s\b", re.I)
    return [
        f"{verb} {clause}" if lost.match(clause) and not _VERB.match(clause) else clause
        for clause in clauses
    ]


def _changes(clause: str) -> bool:
    changes = _TURN.search(clause) or _BARE.match(clause)
    return bool(changes) and not _KEEP.match(clause.strip())


def targets_by_clause(
    instruction: str, split: Callable[[str, bool], tuple[str, str]]
) -> list[StyleTarget]:
    """The targets of all clauses if each has an object and a style of its own, else of the whole.

    split: (clause, whether others stand beside it) to object and style, "" for what is not named.
    Empty if nothing at all is named.
    """
    text = in_lower_case(instruction)
    if text != instruction:
        return [_as_written(target, instruction) for target in targets_by_clause(text, split)]
    if len(clauses := split_clauses(instruction)) > 1:
        several = [split(clause, True) for clause in clauses]
        names = {name for name, _ in several}
        if all(name and style for name, style in several) and len(names) == len(several):
            return [target for pair in several for target in targets_of(*pair)]
    name, style = split(instruction, False)
    return targets_of(name, style) if name or style else []


def in_lower_case(instruction: str) -> str:
    """The instruction, in lower case if it is in capitals throughout: those tell nothing."""
    lower = instruction.lower()
    return lower if instruction.isupper() and len(lower) == len(instruction) else instruction


def _as_written(target: StyleTarget, instruction: str) -> StyleTarget:
    """The target with the capitals of the instruction."""
    names = []
    for name in (target.object, target.style):
        start = instruction.lower().find(name)
        names.append(instruction[start : start + len(name)] if start >= 0 else name)
    return StyleTarget(*names, target.weight)


def take_blend(clause: str) -> tuple[str, str]:
    """The clause with its first style in a blend's place, and the blend, "" if there is none."""
    found = _BLEND.search(clause)
    if not found:
        return clause, ""
    blend = found[0].rstrip(" .,;!")
    first = blend.split("+")[0].split("*")[-1].split("\u00d7")[-1].strip()
    return clause[: found.start()] + first + clause[found.start() + len(blend) :], blend
