"""Refusals of what cannot be read for sure: nothing is painted that was to remain as it is."""

from __future__ import annotations

import re
from collections.abc import Sequence

from datamodules.parsing import lexicon as words
from datamodules.parsing.clauses import Clause
from datamodules.support.errors import AtelierError
from datamodules.task import StyleTarget

_EXCLUDES = re.compile(
    r"\b(?:except|excluding|excepting|other than|(?:apart|aside) from|not|never|without|unless|"
    r"leave|leaving|keep|keeping|untouched|unchanged|do)\b|n['\u2019]t\b",
    re.I,
)
_ALL = re.compile(r"\A(?:everything|anything|everyone|all|the rest|others?)\b", re.I)


def in_words(targets: Sequence[StyleTarget]) -> str:
    """Targets as one phrase: 'object "everything" except "cat", style "fire"'."""
    parts = []
    for target in targets:
        spared = "".join(f' except "{name}"' for name in target.exceptions)
        parts.append(f'object "{target.object or "everything"}"{spared}, style "{target.style}"')
    return "; ".join(parts)


def refuse_doubtful(
    instruction: str, targets: Sequence[StyleTarget], parts: Sequence[Clause]
) -> None:
    """Raise AtelierError for targets that may change what the instruction spares.

    parts: the clauses of the instruction.
    """
    if not targets:
        spares = any(clause.kind == "spares" for clause in parts)
        says = "only what is to remain" if spares else "neither an object nor a style"
        raise AtelierError(
            f"The instruction {instruction!r} names {says}; "
            'write one such as "Turn the boat to Starry Night".'
        )
    if reason := _doubt(targets, parts):
        raise AtelierError(
            f"The instruction {instruction!r} cannot be read for sure: {reason}. The nearest "
            f"reading is {in_words(targets)}; if it is right, give it with --object, --except and "
            "--style, or write the sentence more plainly"
        )


def _doubt(targets: Sequence[StyleTarget], parts: Sequence[Clause]) -> str:
    """The reason to doubt a reading, "" for none."""
    for target in targets:
        for name in (target.object, *target.exceptions):
            if match := _EXCLUDES.search(name):
                return f"{match[0]!r} is left over in the object {name!r}"
        if match := _EXCLUDES.search(target.style):
            return f"{match[0]!r} is left over in the style {target.style!r}"
        if _ALL.match(target.object):
            return f"{target.object!r} names nothing that can be found; name the things themselves"
    rest = any(words.REST.search(clause.text) for clause in parts if clause.kind == "wish")
    objects = {target.object for target in targets}
    if rest and objects == {""} and not any(target.exceptions for target in targets):
        return "it does not say what the rest leaves out"
    return ""
