"""A method's YAML and a preset of models, composed into one configuration.

python -m experiments.run.presets soulstyler paper > mine.yaml; atelier fit --config mine.yaml
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import yaml

from datamodules.support.errors import AtelierError
from experiments.run.registry import METHODS, chosen

MODELS = METHODS.parent / "models"


def preset(name: str) -> dict[str, Any]:
    """The preset's YAML over its `base`'s."""
    own = yaml.safe_load(chosen(name, MODELS, "preset of models").read_text(encoding="utf-8"))
    return merged(preset(own.pop("base")), own) if "base" in own else own


def compose(method: Path, models: str) -> str:
    """The method's configuration with the preset's models and settings, as YAML."""
    parts, config = preset(models), yaml.safe_load(method.read_text(encoding="utf-8"))
    for part in ("all", method.stem):
        config = merged(config, parts.get(part, {}))
    config.pop("needs", None)
    return yaml.safe_dump(config, sort_keys=False)


def merged(under: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    """Mappings joined key by key; a class with its arguments is taken whole, never mixed."""
    result = dict(under)
    for key, value in over.items():
        mix = isinstance(value, dict) and isinstance(under.get(key), dict)
        result[key] = merged(under[key], value) if mix and "class_path" not in value else value
    return result


def weights_of(method: str, models: str = "paper") -> list[str]:
    """Names of the weights that a method needs under a preset."""
    chosen(method, METHODS, "method")
    parts = preset(models)
    return [*parts["needs"], *parts.get(method, {}).get("needs", [])]


def require_shared(models: str, settings: list[str]) -> None:
    """Ask for the weights that every method of the preset needs, before the slow imports.

    settings: dotted settings of the command line; where they touch the networks, nothing is asked.
    """
    touched = ("--model.encoder", "--model.content_features", "--model.style_features")
    if any(word.startswith(touched) for word in settings):
        return
    names = preset(models)["needs"]
    if names:
        from datamodules.models.published import require

        for name in names:
            require(name, "--models embedded needs nothing fetched")


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("method", help="a file in configs/methods")
    arguments.add_argument("models", help="a file in configs/models")
    options = arguments.parse_args()
    try:
        print(compose(chosen(options.method, METHODS, "method"), options.models), end="")
    except AtelierError as error:
        arguments.error(str(error))


if __name__ == "__main__":
    main()
