"""Soulstyler, the language model of the first step: instructions split exactly, of 100.

Paper's form: its ten models need their weights and a GPU of 16 GB or more, or an endpoint:
--parsers hf:meta-llama/Llama-2-7b-chat-hf,api:NAME. Reduced form: the embedded model chooses among
the readings of the syntax with and without the grammar's weights, and the syntax alone; two
processor cores, about 1 min. A second one where its packages are: --parsers gemma3-270m-alone. The
instructions are ours: the paper's are not published.
"""

import argparse
from collections.abc import Mapping
from typing import Any

from evaluation.parsers import measure_parsers
from evaluation.tables.parsers import COLUMNS
from experiments.reproduce.base import write_rows
from experiments.run.parsers import ParserProgress, parsers_by_name


def main() -> None:
    """Measure the parsers and write the table, the paper's ten below ours."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--parsers", default="smollm2,smollm2-alone,rules")
    parsers = parsers_by_name(parser.parse_args().parsers)
    rows = rows_of(measure_parsers(parsers, watch=ParserProgress()).summary())
    write_rows("soulstyler_llm", rows, "embedded", {"size": "-", "steps": "-"})


def rows_of(summary: Mapping[str, Any]) -> list[dict[str, str]]:
    """Rows of ours, then of the paper's; "" for what was not measured or not published.

    summary: see `ParserTable.summary`.
    """
    rows = [(row, "measured") for row in summary["rows"]]
    rows += [(row, "published") for row in summary["published"]["rows"]]
    return [
        {
            heading: format(row[name], form) if row.get(name) is not None else ""
            for heading, name, form in COLUMNS
        }
        | {"from": origin}
        for row, origin in rows
    ]


if __name__ == "__main__":
    main()
