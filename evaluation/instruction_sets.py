"""Sets of instructions with their keys, on which parsers are measured."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import Field

import datamodules
from datamodules.support.errors import AtelierError
from datamodules.support.schema import Schema, Text, validate
from datamodules.target_entries import target_of
from datamodules.task import StyleTarget

BENCHMARKS = Path(datamodules.__file__).parent / "benchmarks"
SETS = {
    "test": "instructions",
    "aside": "instructions_aside",
    "dev": "instructions_dev",
    "hard": "instructions_hard",
    "wild": "instructions_wild",
    "fresh": "instructions_fresh",
    "several": "instructions_several",
    "kinds": "instructions_kinds",
    "kinds-aside": "instructions_kinds_aside",
}


@dataclass(frozen=True)
class Example:
    """An instruction with its key: the targets that a perfect parser returns, at least one."""

    instruction: str
    key: tuple[StyleTarget, ...]


class _Target(Schema):
    """One target of a key; "" for an object or a style that the instruction does not name."""

    object: str
    style: str
    weight: Annotated[float, Field(ge=0, description="a number, 0 or more")] = 1.0
    exceptions: Annotated[
        list[Text], Field(alias="except", description="a list of phrases", default_factory=list)
    ]

    def target(self) -> StyleTarget:
        return target_of(self.model_dump(by_alias=True))


class _OneTarget(_Target):
    """A line with one target."""

    instruction: str

    def example(self) -> Example:
        return Example(self.instruction, (self.target(),))


class _SeveralTargets(Schema):
    """A line with several targets."""

    instruction: str
    targets: Annotated[list[_Target], Field(min_length=1, description="a list of targets")]

    def example(self) -> Example:
        return Example(self.instruction, tuple(target.target() for target in self.targets))


def read_examples(name: str) -> list[Example]:
    """The examples of a set.

    name: one of SETS, or a JSON-lines file with {"instruction", "object", "style"} or
    {"instruction", "targets": [{"object", "style", "weight", "except"}, ...]} in each line.
    Raises AtelierError for any other file.
    """
    path = BENCHMARKS / f"{SETS[name]}.jsonl" if name in SETS else Path(name)
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise AtelierError(
            f"There are no instructions to read at {path}; give a JSON-lines file or one of "
            f"{', '.join(SETS)} with --set"
        ) from error
    examples = [
        _example(line, f"{path}, line {n}") for n, line in enumerate(lines, 1) if line.strip()
    ]
    if not examples:
        raise AtelierError(f"{path} has no instructions; write one per line as JSON")
    return examples


def _example(line: str, where: str) -> Example:
    try:
        entry = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise AtelierError(
            f'{where} is no JSON; write {{"instruction": ..., "object": ..., "style": ...}}'
        ) from error
    several = isinstance(entry, dict) and "targets" in entry
    return validate(_SeveralTargets if several else _OneTarget, entry, where).example()
