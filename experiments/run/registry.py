"""Short names of methods, models, generators, parsers, segmenters and metrics, in all commands.

Methods, presets of models, trainings, sweeps and sets of metrics are files of configs/: the folder
is the registry, the stem of a file its name. Generators, encoders, parsers and segmenters are
classes with arguments; `PARTS` has the settings that take their names.

Whatever takes a name takes a user's own file or class as well: the path of a YAML file, a class
path "module.Class", or a name that an installed package adds (datamodules.support.outside).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from copy import deepcopy
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from pkgutil import resolve_name
from typing import Any

from datamodules.models.cache import once_per_process
from datamodules.support import outside
from datamodules.support.errors import AtelierError, reason
from datamodules.support.suggestions import did_you_mean
from datamodules.support.yaml_files import read_yaml
from experiments.run.arguments import is_class
from experiments.run.own_code import whole, with_code
from experiments.run.sources import module_file

CONFIGS = Path(__file__).parents[2] / "configs"
METHODS, MODELS, TRAINING, SWEEPS, METRICS = (
    CONFIGS / folder for folder in ("methods", "models", "training", "sweeps", "evaluation")
)

SETS = CONFIGS.parent / "datamodules" / "benchmarks"
YAML = (".yaml", ".yml")
Part = dict[str, Any]  # a class as configurations have it: {"class_path": ..., "init_args": {...}}


def _class(path: str, **arguments: Any) -> Part:
    return {"class_path": path} | ({"init_args": arguments} if arguments else {})


GENERATORS = {
    "painter": _class("lightning_modules.generators.painter.Painter"),
    "stylenet": _class("lightning_modules.generators.stylenet.StyleNet"),
    "small_unet": _class("lightning_modules.generators.small_unet.SmallUNet"),
    "pixels": _class("lightning_modules.generators.pixels.Pixels"),
    "onnx": _class("lightning_modules.generators.onnx_painter.OnnxPainter"),
}

ENCODERS = {
    "bridge": _class("lightning_modules.encoders.bridge.BridgeEncoder"),
    "open_clip": _class("lightning_modules.encoders.open_clip.OpenCLIPEncoder"),
}

SPECTRAL = "datamodules.segmentation.spectral.SpectralSegmenter"
SEGMENTERS = {
    "bridge": _class("datamodules.segmentation.bridge.BridgeSegmenter"),
    "spectral": _class(SPECTRAL),
    "dino": _class(SPECTRAL, features=_class("datamodules.segmentation.features.dino.DINODense")),
    "clipseg": _class("datamodules.segmentation.clipseg.CLIPSegSegmenter"),
    "sam3": _class("datamodules.segmentation.sam3.SAM3Segmenter"),
    "grounded": _class("datamodules.segmentation.grounded.GroundedSegmenter"),
    "cris": _class("datamodules.segmentation.cris.segmenter.CRISSegmenter"),
    "fcn": _class("datamodules.segmentation.fcn.FCNSegmenter"),
    "box": _class("datamodules.segmentation.box.BoxSegmenter"),
    "whole": _class("datamodules.segmentation.whole.WholePicture"),
}

LLM = "datamodules.parsing.llm.LLMParser"
LANGUAGE_MODELS = {name: _class(LLM, model=name) for name in ("smollm2", "gemma3-270m")}
PARSERS = LANGUAGE_MODELS | {"rules": _class("datamodules.parsing.tree.TreeParser")}
PARSER_NAMES = f"{', '.join(PARSERS)}, api:MODEL, hf:REPOSITORY, a model's folder or GGUF file"
ALONE = "-alone"  # after the name of a language model: without the grammar's weights


def names(folder: Path) -> list[str]:
    """Names in a folder of configs/, sorted."""
    return sorted(path.stem for path in folder.glob("*.yaml"))


def path_of(name: str, folder: Path, kind: str) -> Path:
    """YAML file of a name in a folder of configs/, or of a user's: AtelierError lists the names and
    suggests the nearest.

    kind: noun for that sentence, such as "method".
    """
    if name in (choices := names(folder)):
        return folder / f"{name}.yaml"
    if name.endswith(YAML):
        return _users(Path(name), kind)
    raise _unknown(kind, name, choices)


def _users(path: Path, kind: str) -> Path:
    if not path.is_file():
        raise AtelierError(f"There is no {kind} at {path}; check the path")
    return whole(path)


@dataclass(frozen=True)
class Method:
    """A method by its name.

    name: for tables and folders, without a path. config: of its own file, without any models'; of a
    class without a file its path alone. file: a YAML file, None for a class without one.
    """

    name: str
    config: dict[str, Any]
    file: Path | None = None

    @property
    def class_path(self) -> str:
        return self.config["model"]["class_path"]

    @property
    def is_built_in(self) -> bool:
        return self.file is not None and self.file.parent == METHODS


def find_method(name: str | Path) -> Method:
    """The method of a name, of a YAML file or of a class; AtelierError if there is none.

    A class path stands for the YAML file beside the class's module, if that names the class.
    """
    name = str(name)
    if name in (choices := names(METHODS)):
        return _method_of(name, METHODS / f"{name}.yaml")
    if name.endswith(YAML):
        path = _users(Path(name), "method")
        return _method_of(path.stem, path)
    if "." in name:
        return _method_of_class(name)
    if entry := outside.find("methods", name):
        return _method_of(name, entry.file)
    raise _unknown("method", name, [*choices, *outside.names("methods")])


@once_per_process
def _method_of(name: str, file: Path) -> Method:
    config = read_yaml(file, "method")
    model = config.get("model") if isinstance(config, dict) else None
    if not (isinstance(model, dict) and isinstance(model.get("class_path"), str)):
        raise AtelierError(
            f"{file} names no method; write model: {{class_path: MODULE.CLASS, init_args: ...}}"
        )
    return Method(name, config if file.parent == METHODS else with_code(config, file.parent), file)


def _method_of_class(path: str) -> Method:
    config = with_code({"model": _class(path)})
    module, _, name = path.rpartition(".")
    source = module_file(module)
    if source is None:
        raise AtelierError(
            f"There is no method {path}: no module {module} is in {Path.cwd()} or installed; give "
            "the path of its YAML file, or a name of atelier list methods"
        )
    if not is_class(path):
        raise AtelierError(f"There is no class {name} in {source}; check --method {path}")
    for file in (METHODS / f"{source.stem}.yaml", source.with_suffix(".yaml")):
        if file.is_file() and (method := _method_of(source.stem, file)).class_path == path:
            return method
    return Method(name, config)


def find_methods(references: Iterable[str]) -> dict[str, str]:
    """Methods as they are given, by their names in tables; AtelierError where two share one."""
    methods: dict[str, str] = {}
    for one in references:
        name = find_method(one).name
        if find_method(methods.setdefault(name, one)) != find_method(one):
            raise AtelierError(
                f"{methods[name]} and {one} are both called {name} in tables; rename one of them"
            )
    return methods


def method_class(name: str) -> type:
    """Class of a method, a subclass of Stylization; AtelierError if it cannot be imported."""
    path = find_method(name).class_path
    try:
        return resolve_name(path)
    except (ImportError, AttributeError, ValueError, SyntaxError) as error:
        raise AtelierError(f"There is no method {path} ({reason(error)}); check it") from error


def part(setting: str, value: Any) -> Any:
    """Class for a short name, if the setting takes short names; any other value unchanged."""
    by_name = PARTS.get(setting)
    return deepcopy(by_name(value)) if by_name and isinstance(value, str) else value


def parser(name: str) -> Part | str:
    """Parser for a name: one of `PARSERS`, api:MODEL, hf:REPOSITORY, a folder or a GGUF file.

    After the name of a language model, "-alone" leaves the grammar's weights out. A class path, or
    a class as JSON, is returned unchanged.
    """
    if name in PARSERS:
        return PARSERS[name]
    kind, _, model = name.partition(":")
    if kind == "api":
        if not model:
            raise AtelierError("The parser api needs the name of a model; write api:NAME")
        return _class("datamodules.parsing.api.APIParser", model=model)
    alone = name.endswith(ALONE) and not Path(name).exists()
    plain = name.removesuffix(ALONE) if alone else name
    files = plain.endswith(".gguf") or (plain and Path(plain).exists())
    if plain in LANGUAGE_MODELS or (kind == "hf" and model) or files:
        return _class(LLM, model=plain, **({"grammar_weight": 0.0} if alone else {}))
    return _by_name("parser", PARSERS, name)


def _by_name(kind: str, parts: dict[str, Part], name: str) -> Part | str:
    """Part for a name; a class path, or a class as JSON, is returned unchanged."""
    if name in parts:
        return parts[name]
    if "." in name:
        return name
    if entry := outside.find(f"{kind}s", name):
        return _class(entry.class_path)
    raise _unknown(kind, name, [*parts, *outside.names(f"{kind}s")])


def _unknown(kind: str, name: str, choices: list[str]) -> AtelierError:
    hint = did_you_mean(name, choices)
    return AtelierError(f"There is no {kind} {name!r}; there are {', '.join(choices)}{hint}")


def _method(name: str) -> Part | str:
    return name if "." in name else _class(find_method(name).class_path)


PARTS: dict[str, Callable[[str], Part | str]] = {
    "model": _method,
    "model.encoder": partial(_by_name, "encoder", ENCODERS),
    "model.generator": partial(_by_name, "generator", GENERATORS),
    "data.parser": parser,
    "data.segmenter": partial(_by_name, "segmenter", SEGMENTERS),
}
