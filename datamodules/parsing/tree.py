"""A parser that is a syntax tree and a grammar: no language model, no waiting.

It is the baseline for language models, and the fallback if no model can be reached.
"""

from __future__ import annotations

from collections.abc import Sequence

from datamodules.parsing.base import Parser, check_instruction
from datamodules.parsing.forms import Reading
from datamodules.parsing.syntax import pipeline
from datamodules.parsing.targets import read_targets
from datamodules.task import StyleTarget


class TreeParser(Parser):
    """Splits an instruction by the likeliest reading of its syntax tree; deterministic."""

    def parse(self, instruction: str) -> list[StyleTarget]:
        """The targets by the reading of every clause that the grammar prefers.

        Raises AtelierError for blank or long texts, for other languages, and for what cannot be
        read for sure.
        """
        return read_targets(check_instruction(instruction), _likeliest)

    def load(self) -> None:
        """Load the pipeline now rather than at the first parse."""
        pipeline()


def _likeliest(text: str, candidates: Sequence[Reading]) -> Reading:
    return candidates[0]
