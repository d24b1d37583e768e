"""A table in the two forms that are written: rounded for people, exact for machines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Heading:
    """A column's heading.

    key: as commands take it. title: for people, with the unit. network: of a score, "" where it
    need not be told. arrow: the better direction. number: whether the column holds numbers.
    """

    key: str
    title: str
    network: str = ""
    arrow: str = ""
    number: bool = True


@dataclass(frozen=True)
class Value:
    """A cell: "0.25", spread "0.012", note "n=3"; best is bold."""

    text: str
    spread: str = ""
    note: str = ""
    best: bool = False

    def __str__(self) -> str:
        text = f"{self.text} ± {self.spread}" if self.spread else self.text
        return f"{text} ({self.note})" if self.note else text


@dataclass(frozen=True)
class Sheet:
    """A table for people.

    labels: number of leading columns that say what a row is.
    caption, name: what it shows, and a name to refer to it, for papers.
    """

    head: Sequence[Heading]
    rows: Sequence[Sequence[Value]]
    labels: int = 1
    caption: str = ""
    name: str = ""


@dataclass(frozen=True)
class Flat:
    """A table for machines. columns: DuckDB's types by name; names differ in more than case."""

    columns: Mapping[str, str]
    rows: Sequence[Sequence[Any]]
