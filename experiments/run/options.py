"""Options that several commands share, and the settings that they stand for."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from datamodules.support.errors import AtelierError
from datamodules.support.suggestions import there_are
from experiments.run.configuration import (
    EMBEDDED,
    METHOD,
    Configuration,
    compose,
    read_config,
)
from experiments.run.registry import MODELS, PARSER_NAMES, SEGMENTERS, names, part

# Short options and their settings; a part precedes its own settings.
SETTINGS = {
    "image": "data.image",
    "instruction": "data.instruction",
    "object": "data.object",
    "except": "data.exceptions",
    "style": "data.style",
    "background_style": "data.background_style",
    "style_image": "data.style_image",
    "mask": "data.mask",
    "mask_value": "data.mask_value",
    "parser": "data.parser",
    "base_url": "data.parser.base_url",
    "segmenter": "data.segmenter",
    "mode": "model.mode",
    "composite": "model.blending.composite",
    "keep_color": "model.blending.keep_color",
    "strength": "model.blending.strength",
    "brush": "model.brush",
    "ckpt": "model.generator.weights",
    "size": "data.size",
    "full_size": "data.full_size",
    "steps": "trainer.max_steps",
    "checkpoint_every": "run.checkpoint_every",
    "seed": "seed_everything",
    "to": "interpolation.to",
    "frames": "interpolation.frames",
    "full_frames": "interpolation.full",
    "out": "run.out",
    "device": "trainer.accelerator",
}
# Settings that name files.
FILES = ("data.image", "data.style_image", "data.mask", "model.generator.weights")

A_METHOD = "a name of `atelier list methods`, a YAML file or a class path"

# Arguments of argparse for each option.
OPTIONS: dict[str, dict[str, Any]] = {
    "image": {"help": "a picture file, or skimage:NAME (rocket, coffee, chelsea, ...)"},
    "instruction": {"nargs": "?", "help": "what to do: object and style in one sentence"},
    "--models": {"help": f"a preset in configs/models: {', '.join(names(MODELS))}"},
    "--target": {
        "action": "append",
        "metavar": "OBJECT=STYLE",
        "help": 'an object with its style; repeat it for several (object "background": the rest)',
    },
    "--except": {
        "action": "append",
        "metavar": "PHRASE",
        "help": "what stays as it is, whatever else is named; repeat it for several",
    },
    "--mask": {
        "action": "append",
        "metavar": "FILE",
        "help": "a mask picture, white = object; skips the segmenter; one per object",
    },
    "--mask-value": {
        "action": "append",
        "metavar": "N",
        "help": "the object's value in a mask with labels, several with commas, or its colour as "
        "in #ff0000, or strength where values say how much; for several masks one for all or one "
        "each",
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
    "--ckpt": {
        "metavar": "FILE",
        "help": "weights of a network in one pass, which atelier train wrote",
    },
    "--size": {"type": int, "metavar": "PX", "help": "longer side of the working picture"},
    "--steps": {"type": int, "help": "optimisation steps"},
    "--checkpoint-every": {
        "type": int,
        "metavar": "STEPS",
        "help": "steps between two checkpoints, from the last of which the same command with the "
        "same --out goes on after a break (default: none)",
    },
    "--keep-checkpoint": {
        "action": "store_true",
        "help": "keep a checkpoint with the result, for --continue",
    },
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
    """Add some of `OPTIONS`, in this order."""
    for option in options:
        parser.add_argument(option, **OPTIONS[option])


def configuration(
    method: str | None, models: str | None, config: str | Path | None
) -> Configuration:
    """Configuration in the file `config`, or of a method on a preset of models."""
    if not config:
        return compose(method or METHOD, models or EMBEDDED)
    if models:
        raise AtelierError("--models goes with --method; a --config names its models itself")
    return read_config(Path(config))


def settings(options: Mapping[str, Any]) -> dict[str, Any]:
    """Settings, by dotted name, of short options; None stands for an option that is left out.

    options: by the names in `SETTINGS`; target: words such as "boat=fire"; targets: the same in
    the form of the setting data.targets; no_wandb, overwrite, keep_checkpoint: whether they are
    chosen.
    """
    every = {setting: options.get(option) for option, setting in SETTINGS.items()}
    every["data.targets"] = options.get("targets")
    if words := options.get("target"):
        every["data.targets"] = pairs(words)
    values = {setting: value for setting, value in every.items() if value is not None}
    values |= {name: absolute(values[name]) for name in FILES if values.get(name)}
    values |= {"wandb.enabled": False} if options.get("no_wandb") else {}
    values |= {"run.overwrite": True} if options.get("overwrite") else {}
    values |= {"run.keep_checkpoint": True} if options.get("keep_checkpoint") else {}
    return values


def check_endpoint(parser: str | None, base_url: str | None) -> None:
    """Refuse --base-url without a parser that asks an endpoint."""
    if base_url and not (parser or "").startswith("api:"):
        raise AtelierError("--base-url goes with --parser api:MODEL; name a model, or leave it out")


def refuse_unknown_options(options: Iterable[str]) -> None:
    """AtelierError for a name that is not one of `SETTINGS`, with the nearest one."""
    there = [*SETTINGS, "targets"]
    if unknown := [name for name in options if name not in there]:
        raise AtelierError(f"There is no option {unknown[0]!r}{there_are(unknown[0], there)}")


def absolute(path: str | list[str]) -> str | list[str]:
    """Absolute path of a picture, or of several: a run's config.yaml works from any folder."""
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
    """Settings "--a.b 1" or "--a.b=1" by dotted name; AtelierError for any other word.

    below: beginnings of the settings that the command takes; without any it takes none.
    """
    values: dict[str, str] = {}
    rest = list(words)
    while rest:
        word = rest.pop(0)
        name, equals, value = word.removeprefix("--").partition("=")
        if not word.startswith("-"):
            raise AtelierError(f"atelier {command} takes no word {word!r} here; see --help")
        if "." not in name or not name.startswith(below):
            option = word.split("=")[0]
            raise AtelierError(f"atelier {command} has no option {option}; see --help")
        if not equals and not rest:
            raise AtelierError(f"{word} has no value; give one, such as {word} 1")
        values[name] = value if equals else rest.pop(0)
    return values


def below(settings: Mapping[str, Any], part: str) -> dict[str, Any]:
    """The settings of a part, whose dotted name with the last dot is `part`."""
    return {name: value for name, value in settings.items() if name.startswith(part)}


def spell_out(words: Sequence[str]) -> list[str]:
    """Words for LightningCLI, with classes instead of the short names of parts."""
    result: list[str] = []
    for word in words:
        option, equals, value = word.partition("=")
        if word.startswith("--"):
            result.append(f"{option}={_spell_out_value(option, value)}" if equals else word)
        else:
            before = result[-1] if result else ""
            result.append(word if "=" in before else _spell_out_value(before, word))
    return result


def _spell_out_value(option: str, value: str) -> str:
    asks_help = option.endswith(".help")
    choice = part(option.removeprefix("--").removesuffix(".help"), value)
    if isinstance(choice, str):
        return choice
    return choice["class_path"] if asks_help or "init_args" not in choice else json.dumps(choice)
