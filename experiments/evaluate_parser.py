"""How often a parser splits an instruction exactly as its key says.

    python -m experiments.evaluate_parser [--parser NAME] [--set FILE] [--show-errors]

A set is a JSON-lines file of {"instruction", "object", "style"}. How keys are written:
- Keys are verbatim spans of the instruction; "" where it names no object or no style. Words for
  the picture as a whole ("it", "this photo", "everything") name no object.
- The longest phrase that names the thing: "apple on the table", "The Scream by Edvard Munch".
- Words that carry a style are no part of it: "in the style of X", "in X style", "X's style" and
  "an X look" give X. Nouns that belong to it are: "a graffiti style painting", "art on fire",
  "a photo of white cloud".
- Several targets are {"instruction", "targets": [{"object", "style", "weight"}, ...]}, in order;
  "background" is all that no other target names. Only all of them right is a match.
A match is exact after `evaluation.metrics.parse_match.normalise`; "both" needs both fields, and the
weights. An instruction that the parser refuses is a miss.
`instructions_dev.jsonl` is what the parsers were tuned on, `instructions.jsonl` what they are
tested on; `instructions_several.jsonl` has 20 with several targets.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from pathlib import Path

import datamodules
from datamodules.errors import AtelierError
from datamodules.parsing.base import Parser
from datamodules.task import StyleTarget
from evaluation.metrics.parse_match import exact_match
from experiments.parse import add_parser_arguments, chosen_parser

DEFAULT_SET = Path(datamodules.__file__).parent / "benchmarks" / "instructions.jsonl"


def evaluate(parser: Parser, cases: list[dict], show_errors: bool) -> dict[str, float]:
    """Exact-match rates in [0, 1] and the median seconds a parse; errors go to stdout."""
    hits, seconds = [], []
    for number, case in enumerate(cases, 1):
        start = time.perf_counter()
        try:
            found = parser.parse(case["instruction"])
        except AtelierError as error:
            found = []
            print(f"\n{error}", file=sys.stderr)
        seconds.append(time.perf_counter() - start)
        keys = [StyleTarget(**key) for key in case.get("targets", [])]
        keys = keys or [StyleTarget(case["object"], case["style"])]
        object_hit, style_hit = (
            len(found) == len(keys)
            and all(
                exact_match(getattr(a, field), getattr(b, field))
                for a, b in zip(found, keys, strict=True)
            )
            for field in ("object", "style")
        )
        weights_hit = [target.weight for target in found] == [key.weight for key in keys]
        hits.append((object_hit, style_hit, object_hit and style_hit and weights_hit))
        print(f"\r{number}/{len(cases)}", end="", file=sys.stderr, flush=True)
        if show_errors and not hits[-1][2]:
            print(f"{case['instruction']}\n  got {found}\n  key {keys}")
    print(file=sys.stderr)
    rates = map(statistics.mean, zip(*hits, strict=True))
    names = ("object", "style", "both", "seconds per parse")
    return dict(zip(names, [*rates, statistics.median(seconds)], strict=True))


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--set", type=Path, default=DEFAULT_SET, help="JSON-lines file")
    arguments.add_argument("--show-errors", action="store_true", help="print what went wrong")
    add_parser_arguments(arguments)
    options = arguments.parse_args()
    cases = [json.loads(line) for line in options.set.read_text(encoding="utf-8").splitlines()]

    import torch  # noqa: F401  (imported here so that the load time does not contain it)
    import transformers  # noqa: F401

    parser = chosen_parser(options)
    start = time.perf_counter()
    parser.load()
    load = time.perf_counter() - start
    for name, value in evaluate(parser, cases, options.show_errors).items():
        print(f"{name:18} {value:.3f}")
    print(f"{'seconds to load':18} {load:.3f}")


if __name__ == "__main__":
    main()
