"""Configurations: the files of a method and its models, composed, with single settings over them.

The files are plain configurations of LightningCLI, which composes them too:

  atelier fit --config configs/methods/clipstyler.yaml --config configs/models/paper.yaml

`compose` does the same without importing the classes in them: a later file goes over an earlier
one, key by key, and a class that replaces another one starts without arguments.
"""

from __future__ import annotations

import glob
import logging
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
from experiments.run.differences import differences
from experiments.run.outdated import refuse_outdated, refuse_renamed
from experiments.run.own_code import CODE, whole, with_code
from experiments.run.registry import (
    METHODS,
    MODELS,
    TRAINING,
    YAML,
    Method,
    find_method,
    names,
    part,
    path_of,
)
from experiments.run.schema import refuse_unknown

log = logging.getLogger(__name__)

Configuration = dict[str, Any]

# Presets of models that go over another one.
UNDER = {"fast": "embedded", "siglip": "paper", "reference": "paper"}
METHOD, SEVERAL = "soulstyler", "fusion"  # methods for one style and for several
EMBEDDED = "embedded"  # the preset whose networks come with packages

NETWORKS = ("generator", "encoder", "content_features")  # parts that training takes from a method
TRAINER, PHOTOS = "lightning_modules.training.Training", "datamodules.photos.PhotosDataModule"


def config_files(method: str | Path, models: str) -> list[Path]:
    """Files of a method on a preset of models, each going over those before it.

    A preset may have files for a single method: configs/models/MODELS/METHOD.yaml, and
    METHOD-WEIGHTS.yaml, which counts only where the weights with that name are on this machine. A
    user's method has them beside it: METHOD.MODELS.yaml and METHOD.MODELS-WEIGHTS.yaml.
    """
    origin = find_method(method)
    files = [origin.file] if origin.file else []
    preset = path_of(models, MODELS, "preset of models")
    presets = [MODELS / f"{UNDER[models]}.yaml", preset] if models in UNDER else [preset]
    for path in presets:
        files += [path, *_files_for(origin, path)]
    return files


def _files_for(method: Method, preset: Path) -> list[Path]:
    """A method's own files on a preset of models."""
    if method.is_built_in:
        folder, start = preset.with_suffix(""), method.name
    elif method.file:
        folder, start = method.file.parent, f"{method.file.stem}.{preset.stem}"
    else:
        return []
    start = glob.escape(start)
    better = [file for file in sorted(folder.glob(f"{start}-*.yaml")) if _has_weights(file)]
    return [*folder.glob(f"{start}.yaml"), *better]


def _has_weights(file: Path) -> bool:
    """Whether the weights that a file's name ends with are on this machine."""
    return local_path(by_name(file.stem.partition("-")[2])) is not None


def compose(method: str | Path, models: str = EMBEDDED) -> Configuration:
    """Configuration of a method on a preset of models.

    method: by name, by the path of a YAML file, or by that of a class. What a user's method leaves
    open of data and trainer is as for the default method.
    """
    origin = find_method(method)
    config = deepcopy(origin.config)
    for path in config_files(method, models):
        if path != origin.file:
            config = merge(config, read_mapping(path))
    if not origin.is_built_in:
        _say_replaced(origin, models, config)
        default = compose(METHOD, models)
        config |= {key: default[key] | config.get(key, {}) for key in ("data", "trainer")}
    return with_code(config, origin.file.parent if origin.file and not origin.is_built_in else None)


def _say_replaced(method: Method, models: str, config: Configuration) -> None:
    """Log the values of a user's file that a preset of models has replaced."""
    own = method.config
    for path in config_files(method.file or method.class_path, models):
        if path.parent != MODELS and path != method.file:  # for this preset, the user's own
            own = merge(own, read_mapping(path))
    if replaced := "; ".join(map(str, differences(own, config))):
        log.warning(
            "models %s goes over %s: %s; to change that, give an option, or write it into "
            "%s.%s.yaml beside the file",
            *(models, method.file, replaced, method.name, models),
        )


def compose_training(name: str, models: str = EMBEDDED) -> Configuration:
    """Configuration of a training, by name, by the path of a YAML file or by that of a class.

    Generator, encoder and content features are those of the method that the file names as `method`
    (by default its own name) on a preset of models, where there is such a method; the file goes
    over them, and over the file a second one of its name in configs/training/MODELS/.
    """
    own, path = _training(name)
    method = own.pop("method", path.stem if path and path.stem in names(METHODS) else "")
    networks: Configuration = {}
    code: Configuration = {}
    if method:
        whole = compose(beside(method, path), models)
        every = whole["model"]["init_args"]
        networks = {part: every[part] for part in NETWORKS if part in every}
        code = {key: whole[key] for key in (CODE,) if key in whole}
    kind = own.get("model", {}).get("class_path", TRAINER)
    config = {"model": {"class_path": kind, "init_args": networks}, "data": {"class_path": PHOTOS}}
    for preset in filter(None, (UNDER.get(models), models)):
        over = TRAINING / preset / f"{name}.yaml"
        own = merge(own, read_mapping(over)) if over.exists() else own
    config = code | merge(config, own)
    return with_code(config, path.parent if path and path.parent != TRAINING else None)


def _training(name: str) -> tuple[Configuration, Path | None]:
    """The configuration of a training alone, and its file, None for a class without one."""
    if not name.endswith(YAML) and "." in name:
        return {"model": {"class_path": name}}, None
    path = path_of(name, TRAINING, "training")
    return read_mapping(path), path


def beside(name: str, file: Path | None) -> str:
    """A YAML's path that a file names, whole: in the current folder or else beside the file.

    Any other name is returned as it is.
    """
    if not name.endswith(YAML) or file is None or Path(name).is_file():
        return str(whole(name)) if name.endswith(YAML) else name
    return str(whole(file.parent / name))


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
    return config if CODE in config else with_code(config, path.absolute().parent)


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
    result = with_code(result)
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
