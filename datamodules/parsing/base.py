"""The contract of parsers: an instruction in, what to stylize and how out."""

from __future__ import annotations

from abc import ABC, abstractmethod

from datamodules.support.errors import AtelierError
from datamodules.task import StyleTarget

MAX_WORDS = 200  # an instruction is a sentence or two; a longer text was pasted by mistake


class Parser(ABC):
    """Splits an instruction such as "Turn the white sailboat to the art on fire".

    note: a remark on the last parse, e.g. that another parser had to step in; "" for none. It goes
          into parse.json with the targets.
    """

    note: str = ""

    @abstractmethod
    def parse(self, instruction: str) -> list[StyleTarget]:
        """The instruction's targets, at least one.

        object and style are spans of the instruction, "" if it names none.
        Raises AtelierError if nothing can be read from the instruction.
        """

    def load(self) -> None:  # noqa: B027  (most parsers have nothing to load)
        """Load now, rather than at the first parse, what parsing needs."""


def read_targets(parser: Parser, instruction: str) -> list[StyleTarget]:
    """The targets of an instruction; AtelierError if the parser returns anything else."""
    targets = parser.parse(instruction)
    are = isinstance(targets, list | tuple) and all(isinstance(t, StyleTarget) for t in targets)
    if not (are and targets):
        raise AtelierError(
            f"parse of {type(parser).__name__} returns {targets!r}; return a list of StyleTarget, "
            "at least one"
        )
    return list(targets)


def check_instruction(instruction: str) -> str:
    """The instruction with single spaces; AtelierError if it is blank or has over MAX_WORDS."""
    text = " ".join(instruction.split())
    if not text:
        raise AtelierError(
            'The instruction is empty; write one such as "Turn the boat to Starry Night".'
        )
    if (count := len(text.split())) > MAX_WORDS:
        raise AtelierError(
            f"The instruction has {count} words, more than the {MAX_WORDS} that a parser reads; "
            "shorten it to what to change and into which style."
        )
    return text
