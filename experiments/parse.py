"""Split an instruction into object and style.

Prints a JSON array: [{"object": ..., "style": ...}]; what the instruction does not name is "".
An instruction that names several objects gives several, and a blend ("0.7*Van Gogh + 0.3*Hokusai")
one a style, with its "weight". The object "background" is all that no other names.
With "-" it reads one instruction a line from stdin and writes one array a line, loading the
language model once; a line that says nothing gives [] and a word on stderr.
"""

from __future__ import annotations

import argparse
import json
import sys

from datamodules.errors import AtelierError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("instruction", help='e.g. "Turn the boat to the art on fire", or -')


def run(args: argparse.Namespace, rest: list[str]) -> int:
    if rest:
        raise AtelierError(f"atelier parse knows no {rest[0]}; see atelier parse --help")
    from datamodules.parsing.llm import LLMParser

    parser = LLMParser()
    if args.instruction != "-":
        print(_as_json(parser, args.instruction))
        return 0
    code = 0
    for number, line in enumerate(sys.stdin, start=1):
        try:
            print(_as_json(parser, line.strip()), flush=True)
        except AtelierError as error:
            print("[]", flush=True)
            print(f"atelier: line {number}: {error}", file=sys.stderr)
            code = 2
    return code


def _as_json(parser, instruction: str) -> str:
    targets = parser.parse(instruction)
    pairs = [
        {"object": target.object, "style": target.style}
        | ({} if target.weight == 1 else {"weight": target.weight})
        for target in targets
    ]
    return json.dumps(pairs, ensure_ascii=False)
