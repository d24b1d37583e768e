"""Options of the command line and the settings that they stand for, shared by the commands."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from datamodules.support.errors import AtelierError
from experiments.run.configuration import EMBEDDED, Configuration, compose, read_config
from experiments.run.registry import MODELS, PARSER_NAMES, SEGMENTERS, names, part

# Short options and their settings; a part precedes its own settings.
SETTINGS = {
    "image": "data.image",
    "instruction": "data.instruction",
    "object": "data.object",
    "style": "data.style",
    "background_style": "data.background_style",
    "style_image": "data.style_image",
    "mask": "data.mask",
    "parser": "data.parser",
    "base_url": "data.parser.base_url",
    "segmenter": "data.segmenter",
    "mode": "model.mode",
    "composite": "model.blending.composite",
    "keep_color": "model.blending.keep_color",
    "strength": "model.blending.strength",
    "brush": "model.brush",
    "size": "data.size",
    "full_size": "data.full_size",
    "steps": "trainer.max_steps",
    "seed": "seed_everything",
    "out": "run.out",
    "device": "trainer.accelerator",
}
FILES = ("data.image", "data.style_image", "data.mask")  # settings that name pictures

# Options by their first name, as argparse takes them.
OPTIONS: dict[str, dict[str, Any]] = {
    "image": {"help": "a picture file, or skimage:NAME (rocket, coffee, chelsea, ...)"},
    "instruction": {"nargs": "?", "help": "what to do: object and style in one sentence"},
    "--models": {"help": f"a preset in configs/models: {', '.join(names(MODELS))}"},
    "--target": {
        "action": "append",
        "metavar": "OBJECT=STYLE",
        "help": 'an object with its style; repeat it for several (object "background": the rest)',
    },
    "--mask": {
        "action": "append",
        "metavar": "FILE",
        "help": "a mask picture, white = object; skips the segmenter; one per object",
    },
    "--parser": {"metavar": "NAME", "help": f"what splits the sentence: {PARSER_NAMES}"},
    "--base-url": {
        "metavar": "URL",
        "help": "with --parser api:MODEL: the endpoint, e.g. http://127.0.0.1:8000/v1 "
        "(default: OPENAI_BASE_URL, else OpenAI's own)",
    },
    "--segmenter": {
        "metavar": "NAME",
        "help": f"what finds the object: {', '.join(SEGMENTERS)}",
    },
    "--size": {"type": int, "metavar": "PX", "help": "longer side of the working picture"},
    "--steps": {"type": int, "help": "optimisation steps"},
    "--seed": {
        "type": int,
        "help": "the same seed gives the same picture on one machine's processor",
    },
    "--device": {
        "choices": ["auto", "cpu", "gpu"],
        "help": "where to compute (default: auto)",
    },
    "--overwrite": {"action": "store_true", "help": "replace what --out holds"},
    "--no-wandb": {"action": "store_true", "help": "do not log to Weights & Biases"},
}


def add_options(parser: argparse.ArgumentParser, *options: str) -> None:
    """Add options of `OPTIONS`, in this order."""
    for option in options:
        parser.add_argument(option, **OPTIONS[option])


def configuration(args: argparse.Namespace) -> Configuration:
    """The configuration that --config, or --method and --models, name."""
    if not args.config:
        return compose(args.method, args.models or EMBEDDED)
    if args.models:
        raise AtelierError("--models goes with --method; a --config names its models itself")
    return read_config(Path(args.config))


def settings(args: argparse.Namespace) -> dict[str, Any]:
    """The settings, by dotted name, of the short options that were given."""
    values = {setting: getattr(args, option, None) for option, setting in SETTINGS.items()}
    values["data.targets"] = pairs(args.target) if getattr(args, "target", None) else None
    given = {setting: value for setting, value in values.items() if value is not None}
    given |= {name: absolute(given[name]) for name in FILES if given.get(name)}
    given |= {"wandb.enabled": False} if getattr(args, "no_wandb", False) else {}
    given |= {"run.overwrite": True} if getattr(args, "overwrite", False) else {}
    return given


def check_endpoint(args: argparse.Namespace) -> None:
    """Refuse --base-url without a parser that asks an endpoint."""
    if args.base_url and not (args.parser or "").startswith("api:"):
        raise AtelierError("--base-url goes with --parser api:MODEL; name a model, or leave it out")


def absolute(path: str | list[str]) -> str | list[str]:
    """The path of a picture, or of several, so that a run's config.yaml works from any folder."""
    if isinstance(path, list):
        return [absolute(each) for each in path]
    return path if path.startswith("skimage:") else str(Path(path).absolute())


def pairs(targets: Sequence[str]) -> dict[str, str]:
    """Styles by object, from words such as "boat=fire"."""
    styles: dict[str, str] = {}
    for target in targets:
        name, equals, style = (word.strip() for word in target.partition("="))
        if not (name and equals and style):
            raise AtelierError(f'--target is {target!r}; write it as "boat=fire"')
        if name in styles:
            raise AtelierError(
                f'--target names {name!r} twice; blend its styles: "{name}=0.5*{styles[name]} + '
                f'0.5*{style}"'
            )
        styles[name] = style
    return styles


def dotted(words: Sequence[str], command: str, *below: str) -> dict[str, str]:
    """The settings "--a.b 1" or "--a.b=1" by dotted name; AtelierError for any other word.

    below: beginnings of the settings that the command takes; without any it takes none.
    """
    taken: dict[str, str] = {}
    rest = list(words)
    while rest:
        word = rest.pop(0)
        name, equals, value = word.removeprefix("--").partition("=")
        if not word.startswith("--") or "." not in name or not name.startswith(below):
            raise AtelierError(f"atelier {command} knows no {word}; see atelier {command} --help")
        if not equals and not rest:
            raise AtelierError(f"{word} has no value; give one, such as {word} 1")
        taken[name] = value if equals else rest.pop(0)
    return taken


def spelled_out(words: Sequence[str]) -> list[str]:
    """The words of LightningCLI with classes in place of the short names of parts."""
    result: list[str] = []
    for word in words:
        option, equals, value = word.partition("=")
        if word.startswith("--"):
            result.append(f"{option}={_spelled(option, value)}" if equals else word)
        else:
            before = result[-1] if result else ""
            result.append(word if "=" in before else _spelled(before, word))
    return result


def _spelled(option: str, value: str) -> str:
    asks_help = option.endswith(".help")
    named = part(option.removeprefix("--").removesuffix(".help"), value)
    if isinstance(named, str):
        return named
    return named["class_path"] if asks_help or "init_args" not in named else json.dumps(named)
