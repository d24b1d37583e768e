"""Split an instruction into object and style.

Prints a JSON array: [{"object": ..., "style": ...}]; what the instruction does not name is "".
An instruction that names several objects gives several, and a blend ("0.7*Van Gogh + 0.3*Hokusai")
one a style, with its "weight". The object "background" is all that no other names.
The parser is a small language model that listens to a grammar ("smollm2", or "gemma3-270m" if it is
installed), the grammar alone ("rules") or a model behind an OpenAI-compatible endpoint ("api"),
whose key, if it needs one, is in the environment variable OPENAI_API_KEY.
With "-" it reads one instruction a line from stdin and writes one array a line, loading the
parser once; a line that says nothing gives [] and a word on stderr.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pkgutil import resolve_name
from typing import TYPE_CHECKING, Any

from datamodules.support.errors import AtelierError

if TYPE_CHECKING:
    from datamodules.parsing.base import Parser


@dataclass(frozen=True)
class Choice:
    """What a name of --parser stands for: a class, imported when chosen, and settings of it."""

    path: str  # module:class
    settings: Mapping[str, Any] = field(default_factory=dict)

    def made(self, **settings: Any) -> Parser:
        """The parser, with further settings."""
        return resolve_name(self.path)(**self.settings, **settings)

    def configured(self) -> str:
        """The same as the value of the setting data.parser."""
        class_path = self.path.replace(":", ".")
        if not self.settings:
            return class_path
        return json.dumps({"class_path": class_path, "init_args": dict(self.settings)})


LLM = "datamodules.parsing.llm:LLMParser"
PARSERS = {
    "smollm2": Choice(LLM, {"model": "smollm2"}),
    "gemma3-270m": Choice(LLM, {"model": "gemma3-270m"}),
    "rules": Choice("datamodules.parsing.rules:RulesParser"),
    "api": Choice("datamodules.parsing.api:APIParser"),
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("instruction", help='e.g. "Turn the boat to the art on fire", or -')
    add_parser_arguments(parser)


def add_parser_arguments(parser: argparse.ArgumentParser) -> None:
    """The options that `chosen_parser` reads."""
    add = parser.add_argument
    add("--parser", choices=PARSERS, default="smollm2", help="(default: %(default)s)")
    add("--model", metavar="NAME", help="with --parser api: the model to ask, by its name there")
    add(
        "--base-url",
        metavar="URL",
        help="with --parser api: the endpoint, e.g. http://127.0.0.1:8000/v1 "
        "(default: OPENAI_BASE_URL, else OpenAI's own)",
    )


def chosen_parser(args: argparse.Namespace) -> Parser:
    """The parser that the options of `add_parser_arguments` name."""
    settings = {"model": args.model, "base_url": args.base_url}
    given = {name: value for name, value in settings.items() if value is not None}
    if args.parser == "api" and not args.model:
        raise AtelierError("--parser api asks a model; name it with --model")
    if args.parser != "api" and given:
        raise AtelierError(f"--parser {args.parser} takes no --model or --base-url; leave them out")
    return PARSERS[args.parser].made(**given)


def run(args: argparse.Namespace, rest: list[str]) -> int:
    if rest:
        raise AtelierError(f"atelier parse knows no {rest[0]}; see atelier parse --help")
    parser = chosen_parser(args)
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
    targets = parser.parse(instruction)
    pairs = [
        {"object": target.object, "style": target.style}
        | ({} if target.weight == 1 else {"weight": target.weight})
        for target in targets
    ]
    return json.dumps(pairs, ensure_ascii=False)
