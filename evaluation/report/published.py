"""Numbers that papers publish, read from evaluation/published/ and checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

import evaluation
from datamodules.support.errors import AtelierError

FOLDER = Path(evaluation.__file__).parent / "published"
METHODS, PARSERS = FOLDER / "methods.yaml", FOLDER / "soulstyler_parsers.yaml"
ROW_WORDS = {"name", "method"}  # the words of a row; its other keys are columns


@dataclass(frozen=True)
class Column:
    """What a published number is.

    beside: our score of the same kind, without its network's name; "" for none.
    higher_is_better: as the paper reads it. low, high: what it can be.
    digits: after the point, as published.
    """

    title: str
    beside: str
    higher_is_better: bool
    low: float
    high: float
    digits: int
    note: str
    unit: str = ""


@dataclass(frozen=True)
class Row:
    """A method's numbers in one table of a paper; method: our class, "" for none."""

    name: str
    method: str
    values: Mapping[str, float]


@dataclass(frozen=True)
class PaperTable:
    """A table of a paper. short: its source in a few words."""

    source: str
    short: str
    about: str
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class Published:
    """All that is published of methods."""

    columns: Mapping[str, Column]
    tables: tuple[PaperTable, ...]

    def of(self, method: str) -> list[tuple[PaperTable, Row]]:
        """The rows about one of our methods, by its class's name."""
        return [(table, row) for table in self.tables for row in table.rows if row.method == method]

    @property
    def methods(self) -> list[str]:
        """Our methods that papers publish numbers of, in the papers' order."""
        return list(self.names)

    @property
    def names(self) -> dict[str, str]:
        """How the papers write our methods, by our classes' names."""
        return {row.method: row.name for table in self.tables for row in table.rows if row.method}


def read_methods(path: Path = METHODS) -> Published:
    """The published numbers of methods; AtelierError says what does not fit, and where."""
    try:
        raw = yaml.safe_load(path.read_text(encoding="utf-8"))
        columns = {name: _column(name, entry) for name, entry in raw["columns"].items()}
        tables = tuple(
            PaperTable(
                t["source"], t["short"], t["about"], tuple(_row(r, columns) for r in t["rows"])
            )
            for t in raw["tables"]
        )
        if not all(table.source and table.rows for table in tables):
            raise ValueError("a table lacks its source or its rows")
    except (OSError, yaml.YAMLError, KeyError, TypeError, AttributeError, ValueError) as error:
        why = f"lacks {error}" if isinstance(error, KeyError) else str(error)
        raise AtelierError(f"{path} holds no published numbers ({why}); mend the file") from error
    return Published(columns, tables)


def _column(name: str, entry: dict[str, Any]) -> Column:
    column = Column(**entry)
    right = type(column.higher_is_better) is bool and type(column.digits) is int
    if not (right and column.low < column.high):
        raise ValueError(f"the column {name} needs higher_is_better, digits and low < high")
    return column


def _row(entry: dict[str, Any], columns: Mapping[str, Column]) -> Row:
    values = {key: value for key, value in entry.items() if key not in ROW_WORDS}
    for key, value in values.items():
        column = columns.get(key)
        if column is None:
            raise ValueError(f"the row {entry['name']} has {key}, which is no column")
        if type(value) not in (int, float) or not column.low <= value <= column.high:
            raise ValueError(
                f"{key} of {entry['name']} is {value}, not {column.low:g} to {column.high:g}"
            )
    if not values:
        raise ValueError(f"the row {entry['name']} has no numbers")
    return Row(str(entry["name"]), str(entry["method"]), values)


def read_parsers(path: Path = PARSERS) -> dict[str, Any]:
    """Soulstyler's table of ten language models: source, note, instructions, rows."""
    try:
        raw = yaml.safe_load(path.read_text(encoding="utf-8"))
        names = [str(row["parser"]) for row in raw["rows"]]
        if not (names and raw["source"] and raw["note"] and raw["instructions"]):
            raise ValueError("a part is empty")
    except (OSError, yaml.YAMLError, KeyError, TypeError, ValueError) as error:
        raise AtelierError(f"{path} is no table of parsers ({error}); mend the file") from error
    return raw
