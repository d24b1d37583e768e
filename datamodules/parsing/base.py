"""What every parser does: an instruction in, what to stylize and how out."""

from __future__ import annotations

from abc import ABC, abstractmethod

from datamodules.task import StyleTarget


class Parser(ABC):
    """Splits an instruction such as "Turn the white sailboat to the art on fire"."""

    @abstractmethod
    def parse(self, instruction: str) -> list[StyleTarget]:
        """The targets the instruction names, at least one.

        object and style are spans of the instruction, "" where it names none.
        Raises AtelierError where nothing can be read from the instruction.
        """
