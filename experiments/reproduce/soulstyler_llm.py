"""Soulstyler, the language model of the first step: instructions split exactly, of 100.

Paper's form: its ten models need their weights and a GPU of 16 GB or more, or an endpoint:
--parsers hf:meta-llama/Llama-2-7b-chat-hf,api:NAME. Reduced form: the two embedded models
alone, SmolLM2 with the grammar, and the grammar alone; two processor cores, about 10 min. The
instructions are ours: the paper's are not published.
"""

import argparse
import contextlib
import io
import json

from experiments.campaigns import campaign
from experiments.commands import evaluate_parsers
from experiments.reproduce.base import write_rows


def main() -> None:
    """Measure the parsers and write the table, the paper's ten below ours."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--parsers", default="smollm2,smollm2-alone,gemma3-270m-alone,rules")
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        campaign.call(evaluate_parsers, ["--json", "--parsers", parser.parse_args().parsers])
    write_rows(
        "soulstyler_llm",
        rows_of(json.loads(said.getvalue())),
        "embedded",
        {"size": "-", "steps": "-"},
    )


def rows_of(measured: dict) -> list[dict[str, str]]:
    """Rows of ours, then of the paper's; what was not measured or not published is ""."""
    rows = [*measured["rows"], *measured["published"]["rows"]]
    return [
        {
            heading: format(row[name], shape) if row.get(name) is not None else ""
            for heading, name, shape in evaluate_parsers.COLUMNS
        }
        | {"from": "published" if row in measured["published"]["rows"] else "measured"}
        for row in rows
    ]


if __name__ == "__main__":
    main()
