"""Split an instruction into object and style.

Prints a JSON array: [{"object": ..., "style": ...}]; a style that the instruction does not name is
"". An instruction that names several objects gives several entries; a blend ("0.7*Van Gogh +
0.3*Hokusai") gives one entry per style, with its "weight". The object "" means the whole picture,
"background" everything that no other entry names; "except" lists what stays as it is.
The sentence is read by its syntax, and a small language model chooses among its readings (smollm2,
or gemma3-270m if it is installed; with "-alone" after the name without the grammar's weights). The
syntax may decide alone (rules), the model may be any causal one (hf:REPOSITORY, a folder or a GGUF
file), or one behind an OpenAI-compatible endpoint may read the sentence (api:MODEL), whose key, if
it needs one, is in the environment variable OPENAI_API_KEY.
With "-" it reads one instruction per line from stdin and writes one array per line, loading the
parser once; for a line that cannot be parsed it writes [], and the reason on stderr.

  atelier parse "Turn the white sailboat to the art on fire"
  atelier parse --parser api:NAME --base-url http://127.0.0.1:8000/v1 - < instructions.txt
"""

from __future__ import annotations

import argparse
import json
import sys
from typing import TYPE_CHECKING

from datamodules.support.errors import AtelierError
from datamodules.target_entries import entry_of
from experiments.run.options import add_options, check_endpoint, dotted

if TYPE_CHECKING:
    from datamodules.parsing.base import Parser


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("instruction", help='e.g. "Turn the boat to the art on fire", or -')
    add_options(parser, "--parser", "--base-url")
    parser.set_defaults(parser="smollm2")


def run(args: argparse.Namespace, rest: list[str]) -> int:
    check_endpoint(args.parser, args.base_url)
    own = dotted(rest, "parse", "data.parser.")
    from experiments.run.parts import build_parser

    parser = build_parser(args.parser, args.base_url, own)
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


def _as_json(parser: Parser, instruction: str) -> str:
    from datamodules.parsing.base import read_targets

    entries = [entry_of(target) for target in read_targets(parser, instruction)]
    return json.dumps(entries, ensure_ascii=False)
