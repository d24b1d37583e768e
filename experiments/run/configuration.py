"""Configurations: files of configs/ laid over one another, and single settings over them.

A method and a preset of models are several files, which LightningCLI reads as well:

  atelier fit --config configs/methods/clipstyler.yaml --config configs/models/paper.yaml

`compose` does what LightningCLI does with them, without importing what they name: a later file goes
over an earlier one, key by key; a class that is exchanged for another loses its arguments.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any

import yaml

from datamodules.models.catalogue import needed_by
from datamodules.models.published import require
from datamodules.support.errors import AtelierError
from experiments.run.outdated import refuse_outdated, refuse_renamed
from experiments.run.registry import METHODS, MODELS, part, path_of

Configuration = dict[str, Any]

# Presets of models that are laid over another one.
UNDER = {"fast": "embedded", "siglip": "paper", "reference": "paper"}
EMBEDDED = "embedded"  # the preset that needs nothing fetched


def config_files(method: str, models: str) -> list[Path]:
    """The files of a method on a preset of models, in the order in which they are laid over.

    Each preset may have a part for a single method: configs/models/MODELS/METHOD.yaml.
    """
    files = [path_of(method, METHODS, "method")]
    preset = path_of(models, MODELS, "preset of models")
    presets = [MODELS / f"{UNDER[models]}.yaml", preset] if models in UNDER else [preset]
    for path in presets:
        own = path.with_suffix("") / files[0].name
        files += [path, own] if own.exists() else [path]
    return files


def compose(method: str, models: str = EMBEDDED) -> Configuration:
    """The configuration of a method on a preset of models, by their names."""
    config: Configuration = {}
    for path in config_files(method, models):
        config = merged(config, yaml.safe_load(path.read_text(encoding="utf-8")))
    return config


def merged(under: Mapping[str, Any], over: Mapping[str, Any]) -> Configuration:
    """Mappings joined key by key; of another class nothing is taken over."""
    if over.get("class_path", under.get("class_path")) != under.get("class_path"):
        return dict(over)
    result = dict(under)
    for key, value in over.items():
        both = isinstance(value, Mapping) and isinstance(under.get(key), Mapping)
        result[key] = merged(under[key], value) if both else value
    return result


def read_config(path: Path) -> Configuration:
    """A configuration file, such as a run's config.yaml; AtelierError if it is none."""
    try:
        config = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise AtelierError(f"There is no configuration at {path}; check --config") from error
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        reason = " ".join(str(error).split())
        raise AtelierError(f"{path} cannot be read as YAML ({reason}); mend it") from error
    if not isinstance(config, dict) or not isinstance(config.get("model"), dict):
        raise AtelierError(f"{path} configures no model; give a run's config.yaml")
    refuse_outdated(config, str(path))
    return config


def with_settings(config: Mapping[str, Any], settings: Mapping[str, Any]) -> Configuration:
    """The configuration with settings over it, by dotted name: {"model.tau": 0.6}.

    Below a class a setting is one of its arguments; a class is set before its arguments. Short
    names of parts are resolved. Values may be strings as they come from a command line, which
    LightningCLI converts.
    """
    result = deepcopy(dict(config))
    for setting, value in sorted(settings.items(), key=lambda item: item[0].count(".")):
        refuse_renamed(setting)
        *path, last = setting.split(".")
        node = result
        for key in path:
            node = _below(node, key)
        _arguments(node, last)[last] = part(setting, value)
    return result


def _below(node: Configuration, key: str) -> Configuration:
    """The mapping at a key of a mapping, made where there is none; a class path becomes a class."""
    node = _arguments(node, key)
    value = node.get(key)
    if not isinstance(value, dict):
        value = yaml.safe_load(value) if isinstance(value, str) else {}
        node[key] = value if isinstance(value, dict) else {"class_path": value}
    return node[key]


def _arguments(node: Configuration, key: str) -> Configuration:
    """The mapping that holds the key: of a class, its arguments."""
    if "class_path" not in node or key in ("class_path", "init_args"):
        return node
    return node.setdefault("init_args", {})


def weights_of(config: Configuration) -> list[str]:
    """Names of the published weights that the configuration's networks need."""
    return needed_by([config["model"].get("init_args", {}), config.get("data", {})])


def require_networks(config: Configuration) -> None:
    """Refuse at once, before slow imports and work, a method whose networks lack their weights.

    Those of parser and segmenter are not looked for: a run may do without them.
    """
    for name in needed_by(config["model"].get("init_args", {})):
        require(name, "--models embedded needs nothing fetched")
