"""Instructions as arrows: "cat -> fire; sky -> Starry Night"."""

from __future__ import annotations

from datamodules.parsing.base import Parser, check_instruction
from datamodules.support.errors import AtelierError
from datamodules.task import StyleTarget


class Arrow(Parser):
    """Parser of "OBJECT -> STYLE", several separated by semicolons.

    Args:
        arrow: the sign between object and style.
    """

    def __init__(self, arrow: str = "->") -> None:
        self.arrow = arrow

    def parse(self, instruction: str) -> list[StyleTarget]:
        """The targets of an instruction, at least one; AtelierError for a part without an arrow."""
        parts = [part.strip() for part in check_instruction(instruction).split(";")]
        return [self._target(part) for part in parts if part]

    def _target(self, part: str) -> StyleTarget:
        name, arrow, style = (word.strip() for word in part.partition(self.arrow))
        if not (arrow and style):
            raise AtelierError(f"{part!r} is no OBJECT {self.arrow} STYLE; write it like that")
        return StyleTarget(name, style)
