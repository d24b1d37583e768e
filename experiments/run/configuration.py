"""Configurations: the files of a method and its models, composed, with single settings over them.

The files are plain configurations of LightningCLI, which composes them too:

  atelier fit --config configs/methods/clipstyler.yaml --config configs/models/paper.yaml

`compose` does the same without importing the classes in them: a later file goes over an earlier
one, key by key, and a class that replaces another one starts without arguments.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, MutableMapping
from copy import deepcopy
from pathlib import Path
from typing import Any

import yaml

from datamodules.models.catalogue import needed_by
from datamodules.models.published import local_path, require
from datamodules.models.schemes import by_name
from datamodules.support.errors import AtelierError
from experiments.run.arguments import may_have
from experiments.run.outdated import refuse_outdated, refuse_renamed
from experiments.run.registry import METHODS, MODELS, TRAINING, names, part, path_of
from experiments.run.schema import refuse_unknown

Configuration = dict[str, Any]

# Presets of models that go over another one.
UNDER = {"fast": "embedded", "siglip": "paper", "reference": "paper"}
EMBEDDED = "embedded"  # the preset whose networks come with packages

NETWORKS = ("generator", "encoder", "content_features")  # parts that training takes from a method
TRAINER, PHOTOS = "lightning_modules.training.Training", "datamodules.photos.PhotosDataModule"


def config_files(method: str, models: str) -> list[Path]:
    """Files of a method on a preset of models, each going over those before it.

    A preset may have files for a single method: configs/models/MODELS/METHOD.yaml, and
    METHOD-WEIGHTS.yaml, which counts only where the weights with that name are on this machine.
    """
    files = [path_of(method, METHODS, "method")]
    preset = path_of(models, MODELS, "preset of models")
    presets = [MODELS / f"{UNDER[models]}.yaml", preset] if models in UNDER else [preset]
    for path in presets:
        folder = path.with_suffix("")
        better = [file for file in sorted(folder.glob(f"{method}-*.yaml")) if _has_weights(file)]
        files += [path, *folder.glob(f"{method}.yaml"), *better]
    return files


def _has_weights(file: Path) -> bool:
    """Whether the weights that a file's name ends with are on this machine."""
    return local_path(by_name(file.stem.partition("-")[2])) is not None


def compose(method: str, models: str = EMBEDDED) -> Configuration:
    """Configuration of a method on a preset of models, both by name."""
    config: Configuration = {}
    for path in config_files(method, models):
        config = merge(config, yaml.safe_load(path.read_text(encoding="utf-8")))
    return config


def compose_training(name: str, models: str = EMBEDDED) -> Configuration:
    """Configuration of a training, by name or by the path of a YAML file.

    Generator, encoder and content features are those of the method that the file names as `method`
    (by default its own name) on a preset of models, where there is such a method; the file goes
    over them, and over the file a second one of its name in configs/training/MODELS/.
    """
    by_path = name.endswith(".yaml")
    path = Path(name) if by_path else path_of(name, TRAINING, "training")
    own = read_mapping(path)
    method = own.pop("method", path.stem)
    networks: Configuration = {}
    if method in names(METHODS):
        every = compose(method, models)["model"]["init_args"]
        networks = {part: every[part] for part in NETWORKS if part in every}
    kind = own.get("model", {}).get("class_path", TRAINER)
    config = {"model": {"class_path": kind, "init_args": networks}, "data": {"class_path": PHOTOS}}
    for preset in filter(None, (UNDER.get(models), models)):
        over = TRAINING / preset / path.name
        own = merge(own, read_mapping(over)) if over.exists() and not by_path else own
    return merge(config, own)


def merge(under: Mapping[str, Any], over: Mapping[str, Any]) -> Configuration:
    """Two mappings joined key by key; a class that replaces another starts without arguments."""
    if over.get("class_path", under.get("class_path")) != under.get("class_path"):
        return dict(over)
    result = dict(under)
    for key, value in over.items():
        both = isinstance(value, Mapping) and isinstance(under.get(key), Mapping)
        result[key] = merge(under[key], value) if both else value
    return result


def read_config(path: Path) -> Configuration:
    """Configuration in a file, such as a run's config.yaml; AtelierError if it holds none."""
    config = read_mapping(path)
    if not isinstance(config.get("model"), dict):
        raise AtelierError(f"{path} configures no model; give a run's config.yaml")
    refuse_outdated(config, str(path))
    return config


def read_mapping(path: Path) -> Configuration:
    """The mapping in a YAML file; AtelierError if it holds none."""
    try:
        config = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise AtelierError(f"There is no configuration at {path}; check --config") from error
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        reason = " ".join(str(error).split())
        raise AtelierError(f"{path} cannot be read as YAML ({reason}); mend it") from error
    if not isinstance(config, dict):
        raise AtelierError(f"{path} configures no model; give a run's config.yaml")
    return config


def with_settings(config: Mapping[str, Any], settings: Mapping[str, Any]) -> Configuration:
    """Copy of a configuration with settings over it, by dotted name: {"model.tau": 0.6}.

    Below a class, settings are its arguments, and follow the class itself. Short names of parts are
    resolved. Strings of a command line may stand for any type of value; LightningCLI converts them.
    Raises AtelierError for names that the classes do not accept.
    """
    result = deepcopy(dict(config))
    for setting, value in sorted(settings.items(), key=lambda item: item[0].count(".")):
        refuse_renamed(setting)
        *path, last = setting.split(".")
        node = result
        for key in path:
            node = _below(node, key)
        _arguments(node, last)[last] = part(setting, value)
    refuse_unknown(result)
    return result


def _below(node: Configuration, key: str) -> Configuration:
    """Mapping at a key, new if there is none; a class path becomes a class without arguments."""
    node = _arguments(node, key)
    value = node.get(key)
    if not isinstance(value, dict):
        value = yaml.safe_load(value) if isinstance(value, str) else {}
        node[key] = value if isinstance(value, dict) else {"class_path": value}
    return node[key]


def _arguments(node: Configuration, key: str) -> Configuration:
    """Mapping in which a key belongs: the arguments, if the node is a class."""
    if "class_path" not in node or key in ("class_path", "init_args"):
        return node
    return node.setdefault("init_args", {})


def class_paths(node: Any) -> Iterator[str]:
    """Paths of all classes in a configuration, at any depth."""
    if isinstance(node, Mapping):
        for key, value in node.items():
            if key == "class_path" and isinstance(value, str):
                yield value
            yield from class_paths(value)
    elif isinstance(node, list):
        for entry in node:
            yield from class_paths(entry)


def weights_of(config: Configuration) -> list[str]:
    """Names of the published weights that all networks of a configuration need."""
    return needed_by(
        [config["model"].get("init_args", {}), config.get("data", {})],
        lambda path: may_have(path, "weights_needed"),
    )


def without_losses(settings: MutableMapping[str, Any]) -> None:
    """Leave the networks out of a method's arguments that only losses need."""
    settings["content_features"] = None
    if "gram" not in settings["weights"]:
        settings["style_features"] = None


def require_networks(config: Configuration) -> None:
    """Refuse a method whose networks lack their weights, before slow imports (AtelierError).

    Weights of parser and segmenter are not checked: not every run uses them.
    """
    settings = dict(config["model"].get("init_args", {}))
    if str(config.get("trainer", {}).get("max_steps")) == "0":
        without_losses(settings)
    for name in needed_by(settings):
        require(name, "--models embedded needs nothing fetched")
