"""Numbers that papers publish, read from evaluation/published/ and checked."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import ConfigDict, Field, model_validator

import evaluation
from datamodules.support.schema import Schema, Text, validate
from datamodules.support.yaml_files import read_yaml

FOLDER = Path(evaluation.__file__).parent / "published"
METHODS, PARSERS = FOLDER / "methods.yaml", FOLDER / "soulstyler_parsers.yaml"

Grade = Annotated[float, Field(ge=0, le=10, description="a number from 0 to 10")]
Share = Annotated[float, Field(ge=0, le=1, description="a number from 0 to 1")]


class Column(Schema):
    """The meaning of a published number.

    beside: our score of the same kind, without its network's name; "" for none.
    higher_is_better: as the paper reads it. low, high: the range of the number.
    digits: after the decimal point, as published.
    """

    title: Text
    beside: str
    higher_is_better: bool
    low: float
    high: float
    digits: int
    note: Text
    unit: str = ""

    @model_validator(mode="after")
    def _ordered(self) -> Column:
        if self.low >= self.high:
            raise ValueError(f"low is {self.low:g} and high is {self.high:g}; give low < high")
        return self


class Row(Schema):
    """One method's numbers, by column, in one table of a paper.

    name: the paper's. method: our class, "" for none.
    """

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, float]

    name: Text
    method: str

    @property
    def values(self) -> Mapping[str, float]:
        return self.__pydantic_extra__

    @model_validator(mode="after")
    def _filled(self) -> Row:
        if not self.values:
            raise ValueError(f"the row {self.name} has no numbers; give one or leave it out")
        return self


class PaperTable(Schema):
    """A table of a paper.

    short: its source in a few words. about: the circumstances. sets: benchmark sets that repeat
    what it measures.
    """

    source: Text
    short: Text
    about: Text
    sets: Annotated[list[Text], Field(description="a list of sets", default_factory=list)]
    rows: Annotated[list[Row], Field(min_length=1, description="a list of rows")]


class Published(Schema):
    """All published numbers of methods."""

    columns: dict[Text, Column]
    tables: list[PaperTable]

    def of(self, method: str) -> list[tuple[PaperTable, Row]]:
        """The rows about one of our methods, by its class's name."""
        return [(table, row) for table in self.tables for row in table.rows if row.method == method]

    def about(self, sets: Collection[str]) -> Published:
        """The tables alone that stand beside runs of these sets."""
        tables = [table for table in self.tables if any(name in sets for name in table.sets)]
        return self.model_copy(update={"tables": tables})

    @property
    def methods(self) -> list[str]:
        """Our methods that papers publish numbers of, in the papers' order."""
        rows = (row for table in self.tables for row in table.rows)
        return list(dict.fromkeys(row.method for row in rows if row.method))

    @model_validator(mode="after")
    def _within_columns(self) -> Published:
        for row in (row for table in self.tables for row in table.rows):
            for key, value in row.values.items():
                if key not in self.columns:
                    raise ValueError(f"the row {row.name} has {key}, which is no column; name it")
                low, high = self.columns[key].low, self.columns[key].high
                if not low <= value <= high:
                    raise ValueError(
                        f"{key} of {row.name} is {value:g}, not {low:g} to {high:g}; mend it"
                    )
        return self


class ParserRow(Schema):
    """A language model's splits: a judge's scores, and the share that is exact."""

    parser: Text
    gpt_3_5: Grade
    gpt_4: Grade
    exact: Share


class ParserTable(Schema):
    """Soulstyler's table of language models. instructions: how many each of them split."""

    source: Text
    note: Text
    instructions: int
    rows: Annotated[list[ParserRow], Field(min_length=1, description="a list of rows")]


def read_methods(path: Path = METHODS) -> Published:
    """The published numbers of methods; AtelierError names what is wrong, and where."""
    return validate(Published, read_yaml(path, "table of published numbers"), str(path))


def read_parsers(path: Path = PARSERS) -> dict[str, Any]:
    """Soulstyler's table of ten language models, with the keys of `ParserTable`, checked."""
    content = read_yaml(path, "table of parsers")
    validate(ParserTable, content, str(path))
    return content
